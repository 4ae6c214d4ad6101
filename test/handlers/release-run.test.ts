import { type Run, RunReleaseRequested, STATUSES } from '../../events';
import { changeOf } from '../../handlers';
import { releaseRun } from '../../handlers/release-run';
import { later, NOW } from '../support/builders';
import { envelope, probe, runIn, storageIn, submittedJob } from './world';

const others = STATUSES.filter((status) => status !== 'retained');
const ask = (said: object = {}) =>
  RunReleaseRequested.parse(envelope('RunReleaseRequested', { runId: 'r1', ...said }));
const requestId = String((ask().data as { derivedId: string }).derivedId);
const verdict = { kind: 'failed', reason: 'exit code 1' } as const;
const retained = (overrides: Partial<Run> = {}) =>
  runIn('retained', { verdict, retainUntil: later(3600), ...overrides });
const released = {
  kind: 'conclude',
  drafts: [{ type: 'ReleaseStarted', data: { verdict, requestId } }],
};
const refused = (reason: string) => ({
  kind: 'conclude',
  drafts: [{ type: 'RequestRefused', data: { request: 'RunReleaseRequested', reason, requestId } }],
});
const PRECIOUS =
  'its storage may hold results that are not in S3: release it with discard to give them up';

describe('release-run decides', () => {
  it('that the storage goes when its results are given up, with the verdict of the run', () => {
    expect(releaseRun.decide(retained(), ask({ discard: true }), NOW)).toEqual(released);
  });

  it.each([
    [{}],
    [{ discard: false }],
    [{ discard: 'true' }],
    [{ discard: 1 }],
    [{ discard: null }],
  ])('that results are not given up by %j', (said) => {
    expect(releaseRun.decide(retained(), ask(said), NOW)).toEqual(refused(PRECIOUS));
  });

  it('that storage on which nothing ran goes without a word about results', () => {
    const jobs = { main: submittedJob({ status: 'FAILED' }) };
    expect(releaseRun.decide(retained({ jobs }), ask(), NOW)).toEqual(released);
  });

  it('that storage that is lost goes without a word about results', () => {
    const storage = storageIn('retained', { over: 'lost' });
    expect(releaseRun.decide(retained({ storage }), ask(), NOW)).toEqual(released);
  });

  it.each(others)('that a run that is %s is not released, whatever is given up', (status) => {
    expect(releaseRun.decide(runIn(status), ask({ discard: true }), NOW)).toEqual(
      refused(`only a retained run is released, this is ${status}`),
    );
  });

  it.each(STATUSES)('nothing that the table refuses for a run that is %s', (status) => {
    const before = runIn(status);
    const answer = releaseRun.decide(before, ask({ discard: true }), NOW);
    const drafts = answer.kind === 'conclude' ? answer.drafts : [];
    expect(drafts.length).toBeGreaterThan(0);
    expect(() => changeOf(before, { runId: 'r1', drafts, now: NOW })).not.toThrow();
  });

  it('nothing again of a wish that was refused, however often it is delivered', () => {
    expect(releaseRun.decide(retained({ answered: [requestId] }), ask(), NOW)).toEqual({
      kind: 'ignore',
      reason: 'this request was answered before',
    });
  });

  it('one answer to a wish that is granted and delivered twice', () => {
    const before = retained();
    const first = releaseRun.decide(before, ask({ discard: true }), NOW);
    const drafts = first.kind === 'conclude' ? first.drafts : [];
    const { run } = changeOf(before, { runId: 'r1', drafts, now: NOW });
    expect(run.status).toBe('releasing');
    expect(releaseRun.decide(run, ask({ discard: true }), NOW)).toEqual({
      kind: 'ignore',
      reason: 'this request was answered before',
    });
  });

  it('of another wish anew', () => {
    const before = retained({ answered: ['run-other'] });
    expect(releaseRun.decide(before, ask({ discard: true }), NOW)).toEqual(released);
  });

  it('nothing when nobody asked', () => {
    expect(releaseRun.decide(retained(), probe as ReturnType<typeof ask>, NOW)).toEqual({
      kind: 'ignore',
      reason: 'not a request',
    });
  });
});
