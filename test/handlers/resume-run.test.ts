import { RunResumeRequested, STATUSES } from '../../events';
import { changeOf } from '../../handlers';
import { resumeRun } from '../../handlers/resume-run';
import { job, NOW } from '../support/builders';
import { envelope, probe, runIn, storageIn, submittedJob } from './world';

const others = STATUSES.filter((status) => status !== 'retained');
const asked = RunResumeRequested.parse(envelope('RunResumeRequested', { runId: 'r1' }));
const requestId = 'derivedId' in asked.data ? asked.data.derivedId : '';
const done = submittedJob({ status: 'SUCCEEDED', attempt: 1, ran: true });
const refused = (reason: string) => ({
  kind: 'conclude',
  drafts: [{ type: 'RequestRefused', data: { request: 'RunResumeRequested', reason, requestId } }],
});

describe('resume-run decides', () => {
  it('that the failed job of a retained run starts anew', () => {
    expect(resumeRun.decide(runIn('retained'), asked, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'RunResumed', data: { jobs: ['main'] } }],
    });
  });

  it('so that the run is ready, and its job waits', () => {
    const before = runIn('retained');
    const answer = resumeRun.decide(before, asked, NOW);
    const drafts = answer.kind === 'conclude' ? answer.drafts : [];
    expect(changeOf(before, { runId: 'r1', drafts, now: NOW }).run).toMatchObject({
      status: 'ready',
      jobs: { main: { status: 'WAITING', submission: 1, submissionsBefore: 1 } },
    });
  });

  it('that only the failed ones of several jobs start anew', () => {
    const failed = submittedJob({ name: 'b', status: 'FAILED', exitCode: 1 });
    const jobs = { a: { ...done, name: 'a' }, b: failed, c: job({ name: 'c', dependsOn: ['b'] }) };
    expect(resumeRun.decide(runIn('retained', { jobs }), asked, NOW)).toMatchObject({
      drafts: [{ type: 'RunResumed', data: { jobs: ['b'] } }],
    });
  });

  it('that the export of a file system starts anew when its jobs succeeded', () => {
    const storage = storageIn('retained', { kind: 'fileSystem' });
    const before = runIn('retained', { mode: 'taskExport', storage, jobs: { main: done } });
    expect(resumeRun.decide(before, asked, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'ExportRequested', data: { verdict: { kind: 'succeeded' } } }],
    });
  });

  it('that a volume of which no job failed has nothing to go on with', () => {
    expect(resumeRun.decide(runIn('retained', { jobs: { main: done } }), asked, NOW)).toEqual(
      refused('no job of this run failed'),
    );
  });

  it.each(others)('that a run that is %s does not resume', (status) => {
    expect(resumeRun.decide(runIn(status), asked, NOW)).toEqual(
      refused(`only a retained run resumes, this is ${status}`),
    );
  });

  it.each(STATUSES)('nothing that the table refuses for a run that is %s', (status) => {
    const before = runIn(status);
    const answer = resumeRun.decide(before, asked, NOW);
    const drafts = answer.kind === 'conclude' ? answer.drafts : [];
    expect(drafts.length).toBeGreaterThan(0);
    expect(() => changeOf(before, { runId: 'r1', drafts, now: NOW })).not.toThrow();
  });

  it('nothing again of a wish that was refused, however often it is delivered', () => {
    expect(resumeRun.decide(runIn('ready', { lastRefused: requestId }), asked, NOW)).toEqual({
      kind: 'ignore',
      reason: 'this request was refused before',
    });
  });

  it('of another wish anew', () => {
    const before = runIn('retained', { lastRefused: 'run-other' });
    expect(resumeRun.decide(before, asked, NOW)).toMatchObject({
      drafts: [{ type: 'RunResumed' }],
    });
  });

  it('nothing when nobody asked', () => {
    expect(resumeRun.decide(runIn('retained'), probe as typeof asked, NOW)).toEqual({
      kind: 'ignore',
      reason: 'not a request',
    });
  });
});
