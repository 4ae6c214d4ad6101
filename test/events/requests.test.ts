import {
  type AnyDraft,
  afterCancel,
  afterReleaseRequest,
  afterResume,
  apply,
  defaultsOf,
  type Job,
  MODES,
  type Mode,
  type Run,
  type RunParameters,
  type RunStatus,
  STATUSES,
} from '../../events';
import { job, later, lustreRun, NOW, run } from '../support/builders';

const FAILED = { kind: 'failed', reason: 'it broke' } as const;

const done = (name = 'main') =>
  job({ name, status: 'SUCCEEDED', submission: 1, attempt: 1, ran: true });
const running = (name = 'main') =>
  job({ name, status: 'RUNNING', submission: 1, attempt: 1, ran: true, jobId: 'job-1' });
const broke = job({ status: 'FAILED', submission: 1, attempt: 1, ran: true, exitCode: 1 });

/** What the jobs of a run did so far, and what its run says of its end. */
const SITUATIONS = {
  'nothing ran': { jobs: [job()] },
  'a job runs': { jobs: [running()] },
  'a job runs and is told to stop': {
    jobs: [running()],
    stop: { verdict: FAILED, at: later(0) },
  },
  'a job failed': { jobs: [broke] },
  'a job failed, another runs yet': { jobs: [broke, running('b')] },
  'a job failed, and waits to be tried anew': { jobs: [{ ...broke, status: 'WAITING' }] },
  'the same, onFailure export': {
    jobs: [{ ...broke, status: 'WAITING' }],
    parameters: { onFailure: 'export' },
  },
  'the same, onFailure release': {
    jobs: [{ ...broke, status: 'WAITING' }],
    parameters: { onFailure: 'release' },
  },
  'a job was refused': { jobs: [job({ status: 'FAILED', submission: 1 })] },
  'a job succeeded, another waits': { jobs: [done(), job({ name: 'b', dependsOn: ['main'] })] },
  'all jobs succeeded': { jobs: [done()] },
} as const satisfies {
  readonly [situation: string]: {
    readonly jobs: readonly Job[];
    readonly stop?: Run['stop'];
    readonly parameters?: RunParameters;
  };
};

const REQUESTS = ['cancel', 'resume', 'release', 'discard'] as const;
type Asked = (typeof REQUESTS)[number];

/** What is written; `no` is RequestRefused with a reason. */
type Written =
  | 'no'
  | 'ReleaseStarted'
  | 'StorageRetained'
  | 'ExportRequested'
  | 'StopRequested'
  | 'RunResumed';
type Row = readonly [
  modes: readonly Mode[],
  status: RunStatus,
  situation: keyof typeof SITUATIONS,
  ...events: readonly [cancel: Written, resume: Written, release: Written, discard: Written],
];

const ALL = MODES;
const EBS = ['onlyEBS'] as const;
const LUSTRE = ['taskExport', 'autoExport'] as const;

/** One row: in these modes, in this status, where the jobs did that, each request leads to its event. */
// biome-ignore format: a table is read by its columns
const TABLE: readonly Row[] = [
  // modes  status          the jobs                                    cancel            resume             release           release with discard
  [ALL,     'queued',       'nothing ran',                              'ReleaseStarted', 'no',              'no',             'no'],
  [ALL,     'provisioning', 'nothing ran',                              'ReleaseStarted', 'no',              'no',             'no'],
  [ALL,     'ready',        'nothing ran',                              'ReleaseStarted', 'no',              'no',             'no'],
  [EBS,     'ready',        'a job failed, and waits to be tried anew', 'ReleaseStarted', 'no',              'no',             'no'],
  [EBS,     'ready',        'the same, onFailure release',              'ReleaseStarted', 'no',              'no',             'no'],
  [LUSTRE,  'ready',        'a job failed, and waits to be tried anew', 'StorageRetained', 'no',             'no',             'no'],
  [LUSTRE,  'ready',        'the same, onFailure export',               'ExportRequested', 'no',             'no',             'no'],
  [LUSTRE,  'ready',        'the same, onFailure release',              'ReleaseStarted', 'no',              'no',             'no'],
  [ALL,     'running',      'nothing ran',                              'StopRequested',  'no',              'no',             'no'],
  [ALL,     'running',      'a job runs',                               'StopRequested',  'no',              'no',             'no'],
  [ALL,     'running',      'a job runs and is told to stop',           'no',             'no',              'no',             'no'],
  [ALL,     'exporting',    'all jobs succeeded',                       'no',             'no',              'no',             'no'],
  [ALL,     'exporting',    'a job failed',                             'no',             'no',              'no',             'no'],
  [ALL,     'releasing',    'nothing ran',                              'no',             'no',              'no',             'no'],
  [ALL,     'releasing',    'a job failed',                             'no',             'no',              'no',             'no'],
  [ALL,     'releasing',    'all jobs succeeded',                       'no',             'no',              'no',             'no'],
  [ALL,     'retained',     'a job failed',                             'no',             'RunResumed',      'no',             'ReleaseStarted'],
  [ALL,     'retained',     'a job succeeded, another waits',           'no',             'RunResumed',      'no',             'ReleaseStarted'],
  [ALL,     'retained',     'a job was refused',                        'no',             'RunResumed',      'ReleaseStarted', 'ReleaseStarted'],
  [ALL,     'retained',     'a job failed, another runs yet',           'no',             'no',              'no',             'ReleaseStarted'],
  [EBS,     'retained',     'all jobs succeeded',                       'no',             'no',              'no',             'ReleaseStarted'],
  [LUSTRE,  'retained',     'all jobs succeeded',                       'no',             'ExportRequested', 'no',             'ReleaseStarted'],
  [ALL,     'succeeded',    'all jobs succeeded',                       'no',             'no',              'no',             'no'],
  [ALL,     'failed',       'a job failed',                             'no',             'no',              'no',             'no'],
  [ALL,     'cancelled',    'a job failed',                             'no',             'no',              'no',             'no'],
  [ALL,     'rejected',     'nothing ran',                              'no',             'no',              'no',             'no'],
];

/** Where each event leads a run, whatever it was asked. */
const LEADS_TO: { readonly [event in Written]: RunStatus | undefined } = {
  no: undefined,
  StopRequested: undefined,
  ReleaseStarted: 'releasing',
  StorageRetained: 'retained',
  ExportRequested: 'exporting',
  RunResumed: 'ready',
};

function runOf(mode: Mode, status: RunStatus, situation: keyof typeof SITUATIONS): Run {
  const { jobs, ...rest } = SITUATIONS[situation];
  const base = mode === 'onlyEBS' ? run() : lustreRun({ mode });
  const parameters = 'parameters' in rest ? rest.parameters : undefined;
  return {
    ...base,
    status,
    storage: { ...base.storage, id: 'storage-1', availableAt: later(0) },
    parameters: { ...defaultsOf(mode), ...parameters },
    verdict: status === 'retained' ? FAILED : undefined,
    stop: 'stop' in rest ? rest.stop : undefined,
    jobs: Object.fromEntries(jobs.map((each) => [each.name, each])),
  };
}

const ASK: { readonly [asked in Asked]: (run: Run) => readonly AnyDraft[] } = {
  cancel: (each) => afterCancel(each, { reason: 'enough', requestId: 'q1' }, NOW),
  resume: (each) => afterResume(each, 'q1'),
  release: (each) => afterReleaseRequest(each, { discard: false, requestId: 'q1' }),
  discard: (each) => afterReleaseRequest(each, { discard: true, requestId: 'q1' }),
};

const CASES = TABLE.flatMap(([modes, status, situation, ...events]) =>
  modes.flatMap((mode) =>
    REQUESTS.map((asked, index) => ({
      ...{ mode, status, situation, asked },
      expected: events[index] ?? 'no',
    })),
  ),
);

describe('a request', () => {
  it.each(CASES)('to $asked a run of $mode that is $status ($situation): $expected', (each) => {
    const { mode, status, situation, asked, expected } = each;
    const drafts = ASK[asked](runOf(mode, status, situation));
    expect(drafts.map(({ type }) => type)).toEqual([
      expected === 'no' ? 'RequestRefused' : expected,
    ]);
  });

  it.each(CASES)('to $asked: $mode, $status ($situation) is answered by its id, once', (each) => {
    const { mode, status, situation, asked, expected } = each;
    const before = runOf(mode, status, situation);
    const at = { time: later(1), id: before.id, mode };
    const after = ASK[asked](before).reduce<Run>((run_, draft) => apply(run_, draft, at), before);
    expect([after.status, after.answered]).toEqual([LEADS_TO[expected] ?? status, ['q1']]);
  });

  it('has an outcome for every mode and every status', () => {
    const known = new Set(CASES.map(({ mode, status }) => `${mode} ${status}`));
    expect(
      MODES.flatMap((mode) => STATUSES.map((status) => `${mode} ${status}`)).filter(
        (each) => !known.has(each),
      ),
    ).toEqual([]);
  });
});

describe('what a request gives up', () => {
  it.each(CASES.filter(({ asked }) => asked !== 'discard'))(
    'is never a result where nobody says discard: $asked, $mode, $status ($situation)',
    ({ mode, status, situation, asked }) => {
      const before = runOf(mode, status, situation);
      const hasRun = Object.values(before.jobs).some(({ ran }) => ran);
      const isReleased = ASK[asked](before).some(({ type }) => type === 'ReleaseStarted');
      // A cancelled volume holds nothing that waits for export; the policy release says so in words.
      const isSaid = mode === 'onlyEBS' || before.parameters.onFailure === 'release';
      expect(isReleased && hasRun && !isSaid).toBe(false);
    },
  );
});
