import {
  type Cause,
  RunAccepted,
  type RunStatus,
  type Settings,
  STATUSES,
  type Verdict,
} from '../../events';
import { execute } from '../../handlers';
import { answerUpload } from '../../handlers/answer-upload';
import { SETTINGS } from '../../sim/simulator';
import { later, NOW } from '../support/builders';
import { envelope, given, runIn, world } from './world';

const cause: Cause = { upload: { bucket: 'intake', key: 'requests/a.json', sequencer: '0A' } };
const FAILED: Verdict = { kind: 'failed', reason: 'job main left with 1' };
const STACK: Settings = { ...SETTINGS, intakeBucket: 'intake' };
const event = RunAccepted.parse(
  envelope('RunAccepted', {
    ...{ runId: 'r1', mode: 'onlyEBS', status: 'queued', seq: 1, time: later(0) },
    data: { parameters: {}, jobs: [], results: { bucket: 'b', prefix: 'p' }, fingerprint: '' },
  }),
);
const answerOf = (status: RunStatus, changes: Parameters<typeof runIn>[1] = {}) => {
  const decision = answerUpload.decide(runIn(status, { cause, ...changes }), event, NOW);
  if (decision.kind !== 'proceed') throw new Error(`it decided to ${decision.kind}`);
  return { ...decision, said: JSON.parse(decision.step.text) };
};

describe('answer-upload decides', () => {
  it.each([undefined, { schedule: { name: 'nightly', time: later(0) } }])(
    'that nobody waits for an answer where the cause is %j',
    (other) => {
      expect(answerUpload.decide(runIn('running', { cause: other }), event, NOW)).toEqual({
        kind: 'ignore',
        reason: 'no upload started this run',
      });
    },
  );

  it.each(STATUSES)('to say how the run stands now, whichever event came: %s', (status) => {
    expect(answerOf(status)).toMatchObject({
      key: 'r1.answer',
      step: { bucket: 'intake', key: 'requests/a.json' },
      said: { runId: 'r1', status, time: later(0) },
    });
  });

  it.each(STATUSES)('to leave no answer among the input while it is imported: %s', (status) => {
    const parameters = { inputRepositoryPath: 's3://intake/requests' };
    const importing = runIn(status, { cause, parameters });
    const isEarly = status === 'queued' || status === 'provisioning';
    expect(answerUpload.decide(importing, event, NOW)).toMatchObject(
      isEarly
        ? { kind: 'ignore', reason: 'its answer would lie among the input' }
        : { kind: 'proceed', key: 'r1.answer' },
    );
  });

  it.each(['failed', 'retained', 'cancelled', 'rejected'] as const)(
    'to say why the run is %s',
    (status) => {
      expect(answerOf(status, { verdict: FAILED }).said.reason).toBe('job main left with 1');
    },
  );

  it('to give no reason where all went well', () => {
    const { said } = answerOf('succeeded', { verdict: { kind: 'succeeded' } });
    expect(Object.keys(said)).toEqual(['runId', 'status', 'results', 'time']);
  });

  it('to say where the results are', () => {
    expect(answerOf('succeeded').said.results).toBe('s3://results/runs/r1/');
  });

  it('to say where the results are when the run named a place', () => {
    const parameters = { dataRepositoryPath: 's3://shared/a' };
    const { said } = answerOf('succeeded', { mode: 'taskExport', parameters });
    expect(said.results).toBe('s3://shared/a/');
  });

  it('to promise no results of what was rejected', () => {
    expect(answerOf('rejected').said).not.toHaveProperty('results');
  });
});

describe('answer-upload', () => {
  async function delivered(settings: Settings, ...times: readonly RunStatus[]) {
    const answers: { bucket: string; key: string; text: string }[] = [];
    const here = world({
      settings: { read: async () => settings },
      intake: {
        read: async () => undefined,
        answer: async (answer) => void answers.push(answer),
      },
    });
    await given(here.runs, runIn(times[0] ?? 'queued', { cause }));
    const seen = envelope('RunAccepted', {
      ...{ runId: 'r1', mode: 'onlyEBS', status: 'queued', seq: 1, time: later(0) },
      data: { parameters: {}, jobs: [], results: { bucket: 'b', prefix: 'p' }, fingerprint: '' },
    });
    for (const _ of times) await here.settled(execute(answerUpload, seen, here.ports));
    return { answers, decided: here.lines.map(({ decided }) => decided) };
  }

  it('leaves the answer beside the upload', async () => {
    expect((await delivered(STACK, 'queued')).answers).toEqual([
      { bucket: 'intake', key: 'requests/a.json', text: expect.stringContaining('"r1"') },
    ]);
  });

  it('leaves the same answer again when its event comes again', async () => {
    const { answers } = await delivered(STACK, 'queued', 'queued');
    expect([answers.length, answers[0]]).toEqual([2, answers[1]]);
  });

  it('writes no event', async () => {
    expect((await delivered(STACK, 'queued')).decided).toEqual([
      'ignored: the answer lies beside the upload',
    ]);
  });

  it('writes into no other bucket, whatever a request said', async () => {
    const { answers, decided } = await delivered({ ...STACK, intakeBucket: 'other' }, 'queued');
    expect([answers, decided]).toEqual([[], ['ignored: the upload is not in the intake bucket']]);
  });

  it('hears of all by which a run moves on, from its beginning to every end', () => {
    expect(answerUpload.on?.types).toEqual([
      'RunAccepted',
      'VolumeAvailable',
      'FileSystemAvailable',
      'JobSubmitted',
      'ExportRequested',
      'ReleaseStarted',
      'RunRejected',
      'StorageRetained',
      'RunSucceeded',
      'RunFailed',
      'RunCancelled',
    ]);
  });
});
