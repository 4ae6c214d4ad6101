import { type Run, RunResumeRequested, STATUSES, StorageRetained } from '../../events';
import { changeOf } from '../../handlers';
import { requestJob } from '../../handlers/request-job';
import { resumeRun } from '../../handlers/resume-run';
import { job, later, NOW } from '../support/builders';
import { envelope, probe, runIn, runningJob, storageIn, submittedJob } from './world';

const others = STATUSES.filter((status) => status !== 'retained');
const asked = RunResumeRequested.parse(envelope('RunResumeRequested', { runId: 'r1' }));
const requestId = 'derivedId' in asked.data ? asked.data.derivedId : '';
const done = submittedJob({ status: 'SUCCEEDED', attempt: 1, ran: true });
const refused = (reason: string) => ({
  kind: 'conclude',
  drafts: [{ type: 'RequestRefused', data: { request: 'RunResumeRequested', reason, requestId } }],
});

const ignored = { kind: 'ignore', reason: 'this request was answered before' };
/** The run once the wish is answered. */
function resumed(before: Run): Run {
  const answer = resumeRun.decide(before, asked, NOW);
  const drafts = answer.kind === 'conclude' ? answer.drafts : [];
  return changeOf(before, { runId: 'r1', drafts, now: NOW }).run;
}

describe('resume-run decides', () => {
  it('that the failed job of a retained run starts anew', () => {
    expect(resumeRun.decide(runIn('retained'), asked, NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'RunResumed', data: { jobs: ['main'], requestId } }],
    });
  });

  it('so that the run is ready, and its job waits', () => {
    expect(resumed(runIn('retained'))).toMatchObject({
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
      drafts: [{ type: 'ExportRequested', data: { verdict: { kind: 'succeeded' }, requestId } }],
    });
  });

  it('that a volume of which every job succeeded has nothing to go on with', () => {
    expect(resumeRun.decide(runIn('retained', { jobs: { main: done } }), asked, NOW)).toEqual(
      refused('all jobs of this run succeeded'),
    );
  });

  it('that a cancelled file system goes on with the job that waited', () => {
    const storage = storageIn('retained', { kind: 'fileSystem' });
    const jobs = { a: { ...done, name: 'a' }, b: job({ name: 'b', dependsOn: ['a'] }) };
    const verdict = { kind: 'cancelled', reason: 'enough' } as const;
    const before = runIn('retained', { mode: 'taskExport', storage, jobs, verdict });
    const run = resumed(before);
    expect(run).toMatchObject({ status: 'ready', jobs: { b: { status: 'WAITING' } } });
    expect(run.verdict).toBeUndefined();
    expect(requestJob.decide(run, probe, NOW)).toMatchObject({
      drafts: [{ type: 'JobRequested', data: { job: 'b', submission: 1 } }],
    });
  });

  it('that a run does not resume while one of its jobs may still be running', () => {
    const before = runIn('retained', { jobs: { main: runningJob() } });
    expect(resumeRun.decide(before, asked, NOW)).toEqual(
      refused('a job of this run may still be running: try again in a minute'),
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
    const before = runIn('ready', { answered: [requestId] });
    expect(resumeRun.decide(before, asked, NOW)).toEqual(ignored);
  });

  it('one answer to a wish that is granted and delivered twice', () => {
    expect(resumeRun.decide(resumed(runIn('retained')), asked, NOW)).toEqual(ignored);
  });

  it('one answer to a wish that is delivered again when the run is retained again', () => {
    const verdict = { kind: 'failed', reason: 'it broke again' } as const;
    const again = StorageRetained.of({ verdict, retainUntil: later(3600), pricePerHour: 1 });
    const { run } = changeOf(resumed(runIn('retained')), {
      runId: 'r1',
      drafts: [again],
      now: NOW,
    });
    expect(run.status).toBe('retained');
    expect(resumeRun.decide(run, asked, NOW)).toEqual(ignored);
  });

  it('one answer to the wish for an export that is delivered twice', () => {
    const storage = storageIn('retained', { kind: 'fileSystem' });
    const before = runIn('retained', { mode: 'taskExport', storage, jobs: { main: done } });
    expect(resumeRun.decide(resumed(before), asked, NOW)).toEqual(ignored);
  });

  it('of another wish anew', () => {
    const before = runIn('retained', { answered: ['run-other'] });
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
