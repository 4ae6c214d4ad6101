import fc from 'fast-check';
import { type Export, type Run, type RunParameters, type RunStatus, STATUSES } from '../../events';
import { execute, HANDLERS, type Ports, type SeenTask } from '../../handlers';
import { observeExport } from '../../handlers/observe-export';
import { advance, FILE_SYSTEM, later, NOW } from '../support/builders';
import {
  given,
  lustreRunIn,
  lustreStorageIn,
  probe,
  probeEnvelope,
  seenAssociation,
  seenFileSystem,
  seenTask,
  submittedJob,
  world,
} from './world';

const MINUTE = 60_000;
const others = STATUSES.filter((status) => status !== 'exporting');
const asked = { requestedAt: later(0), tries: 1, taskId: 'task-1', taskCreatedAt: later(0) };
const exporting = (changes: Partial<Export> = {}, status: RunStatus = 'exporting') =>
  lustreRunIn(status, {
    verdict: { kind: 'succeeded' },
    export: { ...asked, ...changes },
  });
const judged = (task: SeenTask | undefined, run = exporting(), now = NOW) =>
  observeExport.judge?.({ taskId: 'task-1', isThere: true, task }, run, now);
const typesOf = (answer: ReturnType<typeof judged>) =>
  answer?.kind === 'conclude' ? answer.drafts.map(({ type }) => type) : [];
const report = 's3://results/runs/r1/_ebbtide/reports/task-1/failures.csv';

describe('observe-export decides', () => {
  it('looks at the task that is under way', () => {
    expect(observeExport.decide(exporting(), probe, NOW)).toEqual({
      kind: 'look',
      target: { fileSystemId: FILE_SYSTEM, taskId: 'task-1' },
    });
  });

  it.each([
    ['has no task yet', { taskId: undefined }],
    ['pauses after a failure', { taskId: undefined, retryAt: later(60) }],
  ])('ignores an export that %s', (_what, changes) => {
    expect(observeExport.decide(exporting(changes), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'no task is under way',
    });
  });

  it('ignores a run that exports all along and is not done with that', () => {
    const along = { ...exporting(), mode: 'autoExport' as const };
    expect(observeExport.decide(along, probe, NOW)).toMatchObject({ kind: 'ignore' });
  });

  it('ignores a run without storage', () => {
    const storage = lustreStorageIn('exporting', { id: undefined });
    expect(observeExport.decide({ ...exporting(), storage }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'no storage',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    expect(observeExport.decide(exporting({}, status), probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `run is ${status}`,
    });
  });
});

describe('observe-export looks', () => {
  const target = { fileSystemId: FILE_SYSTEM, taskId: 'task-1' };
  const seen = async (shown: readonly ReturnType<typeof seenFileSystem>[]) => {
    const { ports } = world();
    const fileSystems = { ...ports.fileSystems, inspect: async () => shown };
    return observeExport.look?.(target, { fileSystems });
  };

  it('at its own task among all of the file system', async () => {
    const tasks = [seenTask({ taskId: 'task-0' }), seenTask()];
    expect(await seen([seenFileSystem({ tasks })])).toEqual({
      ...{ taskId: 'task-1', isThere: true },
      task: seenTask(),
    });
  });

  it.each([
    ['without the task', [seenFileSystem({ tasks: [seenTask({ taskId: 'task-0' })] })], true],
    ['without the file system', [], false],
  ])('and may find it %s', async (_what, shown, isThere) => {
    expect(await seen(shown)).toEqual({ taskId: 'task-1', isThere, task: undefined });
  });
});

describe('observe-export judges', () => {
  it('a task that succeeded without a failed file to be the proof', () => {
    expect(judged(seenTask())).toEqual({
      kind: 'conclude',
      drafts: [
        { type: 'ExportTaskCompleted', data: { taskId: 'task-1', exportedCount: 7 } },
        { type: 'ReleaseStarted', data: { verdict: { kind: 'succeeded' } } },
      ],
    });
  });

  it('an empty export to be one, too', () => {
    const counts = { total: 0, succeeded: 0, failed: 0 };
    expect(typesOf(judged(seenTask({ counts })))).toEqual([
      'ExportTaskCompleted',
      'ReleaseStarted',
    ]);
  });

  it.each([
    { kind: 'failed', reason: 'it broke' },
    { kind: 'cancelled', reason: 'enough' },
  ] as const)('the proof to end the run as its jobs did: %j', (verdict) => {
    expect(judged(seenTask(), { ...exporting(), verdict })).toMatchObject({
      drafts: [{}, { type: 'ReleaseStarted', data: { verdict } }],
    });
  });

  it('success without counts to be no proof yet: they come with the next refresh', () => {
    expect(judged(seenTask({ counts: undefined }))).toEqual({ kind: 'again', at: NOW + 10_000 });
  });

  it.each([
    ['FAILED', undefined, undefined, 'the export task is FAILED'],
    ['FAILED', undefined, 'access denied', 'the export task is FAILED, access denied'],
    ['CANCELED', undefined, undefined, 'the export task is CANCELED'],
    [
      'FAILED',
      { total: 9, succeeded: 7, failed: 2 },
      'access denied',
      'the export task is FAILED, 2 of 9 files failed: access denied',
    ],
    [
      'SUCCEEDED',
      { total: 9, succeeded: 8, failed: 1 },
      undefined,
      'the export task is SUCCEEDED, 1 of 9 files failed',
    ],
  ])(
    '%s with counts %j (%s) to be a failure, with its list',
    (lifecycle, counts, failure, reason) => {
      expect(judged(seenTask({ lifecycle, counts, failure }))).toEqual({
        kind: 'conclude',
        drafts: [
          {
            type: 'ExportFailed',
            data: { reason, taskId: 'task-1', report, retryAt: later(120) },
          },
        ],
      });
    },
  );

  it.each(['FAILED', 'CANCELED'])(
    '%s without a failed file to be a failure, too, with no list: FSx writes none',
    (lifecycle) => {
      const counts = { total: 9, succeeded: 9, failed: 0 };
      const answer = judged(seenTask({ lifecycle, counts }));
      expect(answer).toEqual({
        kind: 'conclude',
        drafts: [
          {
            type: 'ExportFailed',
            data: {
              ...{ reason: `the export task is ${lifecycle}`, taskId: 'task-1' },
              ...{ report: undefined, retryAt: later(120) },
            },
          },
        ],
      });
    },
  );

  it('the third failure to be the last: the storage is retained', () => {
    const last = exporting({ tries: 3 });
    expect(typesOf(judged(seenTask({ lifecycle: 'FAILED' }), last))).toEqual([
      'ExportFailed',
      'StorageRetained',
    ]);
  });

  it.each(['PENDING', 'EXECUTING', 'CANCELING', 'PAUSED', 'succeeded', ''])(
    'a task that is %j to be under way',
    (lifecycle) => {
      expect(judged(seenTask({ lifecycle }))).toMatchObject({ kind: 'again' });
    },
  );

  it('a task that works to be worth a look when its counts say that it ends', () => {
    const counts = { total: 400, succeeded: 90, failed: 10 };
    const task = seenTask({ lifecycle: 'EXECUTING', counts });
    expect(judged(task, exporting(), NOW + 50_000)).toEqual({
      kind: 'again',
      at: NOW + 50_000 + 150_000,
    });
  });

  it('a task that FSx does not show yet to be on its way', () => {
    expect(judged(undefined, exporting(), NOW + 5 * MINUTE - 1)).toMatchObject({ kind: 'again' });
  });

  it('a task that FSx does not show after five minutes to have failed', () => {
    expect(judged(undefined, exporting(), NOW + 5 * MINUTE)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'ExportFailed',
          data: {
            ...{ reason: 'FSx does not know the export task any more', taskId: 'task-1' },
            ...{ report: undefined, retryAt: later(420) },
          },
        },
      ],
    });
  });

  it.each([
    ['is listed', { total: 9, succeeded: 7, failed: 2 }, `; the files are listed in ${report}`],
    ['may be listed', undefined, `; the files are listed in ${report}`],
    ['is not listed', { total: 9, succeeded: 9, failed: 0 }, ''],
  ])('the last failure to say where it %s, and only then', (_what, counts, where) => {
    const answer = judged(seenTask({ lifecycle: 'FAILED', counts }), exporting({ tries: 3 }));
    const [, kept] = answer?.kind === 'conclude' ? answer.drafts : [];
    const reason = expect.stringMatching(`at last because the export task is FAILED[^;]*${where}$`);
    expect(kept).toMatchObject({ type: 'StorageRetained', data: { verdict: { reason } } });
  });

  it('a task of which the file system is not there to be the affair of who tells its loss', () => {
    const seen = { taskId: 'task-1', isThere: false, task: undefined };
    expect(observeExport.judge?.(seen, exporting(), NOW + 60 * MINUTE)).toMatchObject({
      kind: 'again',
    });
  });

  it.each([
    ['has another task by now', { taskId: 'task-2' }],
    ['has failed meanwhile', { taskId: undefined, retryAt: later(60) }],
  ])('nothing of an export that %s', (_what, changes) => {
    expect(judged(seenTask(), exporting(changes))).toEqual({
      kind: 'ignore',
      reason: 'the export has moved on',
    });
  });
});

describe('the storage is given back', () => {
  const word = fc.oneof(
    fc.constantFrom(
      ...['PENDING', 'EXECUTING', 'SUCCEEDED', 'FAILED', 'CANCELING', 'CANCELED'],
      ...['SUCCEEDED_WITH_FAILURES', 'succeeded', 'AVAILABLE', ''],
    ),
    fc.string({ maxLength: 12 }),
  );
  const count = fc.oneof(fc.nat({ max: 3 }), fc.integer(), fc.constantFrom(Number.NaN, 0.5));
  const counts = fc.option(fc.record({ total: count, succeeded: count, failed: count }), {
    nil: undefined,
  });
  const failure = fc.option(fc.string(), { nil: undefined });
  const anyTask = fc.option(
    fc.record({ lifecycle: word, counts, failure }).map((each) => seenTask(each)),
    { nil: undefined },
  );
  const verdict = fc.constantFrom(
    ...([
      { kind: 'succeeded' },
      { kind: 'failed', reason: 'x' },
      { kind: 'cancelled', reason: 'x' },
    ] as const),
  );
  const moment = fc.record({
    tries: fc.integer({ min: 1, max: 5 }),
    verdict,
    afterMs: fc.nat({ max: 7 * 3_600_000 }),
    isThere: fc.boolean(),
  });

  it('for a task that succeeded with no file failed, and for nothing else that FSx may show', () => {
    fc.assert(
      fc.property(anyTask, moment, (task, { tries, afterMs, isThere, ...changes }) => {
        const run = { ...exporting({ tries }), ...changes };
        const answer = observeExport.judge?.(
          { taskId: 'task-1', isThere, task },
          run,
          NOW + afterMs,
        );
        const isProof = isThere && task?.lifecycle === 'SUCCEEDED' && task.counts?.failed === 0;
        expect(typesOf(answer).includes('ReleaseStarted')).toBe(isProof);
        expect(typesOf(answer).includes('ExportTaskCompleted')).toBe(isProof);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('an export, from its request to the release of the storage', () => {
  const MODES = {
    taskExport: ['ExportTaskCreated', 'ExportTaskCompleted', 'ReleaseStarted'],
    autoExport: [
      ...['ExportQueueDrained', 'AutoExportDisabled', 'ExportTaskCreated'],
      ...['ExportTaskCompleted', 'ReleaseStarted'],
    ],
  } as const;

  /** A world whose FSx does what it is told at once, and whose queue is empty since the jobs ended. */
  function exportingWorld(task: Partial<SeenTask> = {}, alongAtFirst = true) {
    const here = world();
    const calls: string[] = [];
    let autoExports = alongAtFirst;
    const fileSystems: Ports['fileSystems'] = {
      ...here.ports.fileSystems,
      inspect: async () => [
        seenFileSystem({
          tasks: [seenTask(task)],
          associations: [seenAssociation({ autoExports })],
        }),
      ],
      async startExport() {
        calls.push('startExport');
        return { ok: true, taskId: 'task-1' };
      },
      async switchOffAutoExport() {
        autoExports = false;
        calls.push('switchOffAutoExport');
        return { kind: 'off' };
      },
    };
    const metrics: Ports['metrics'] = {
      exportQueueAge: async ({ to }) =>
        Array.from({ length: 60 }, (_, minute) => ({ at: NOW + minute * MINUTE, value: 0 })).filter(
          ({ at }) => at < to - MINUTE,
        ),
    };
    return { ...here, calls, ports: { ...here.ports, fileSystems, metrics } };
  }

  /** Wakes all who watch an export, once a minute. Gives what was written. */
  async function exported(here: ReturnType<typeof exportingWorld>, run: Run, minutes = 30) {
    await given(here.runs, run);
    const watchers = HANDLERS.filter(({ watches }) => watches.includes('exporting'));
    for (let minute = 0; minute < minutes; minute += 1) {
      for (const handler of watchers) {
        await execute(handler, probeEnvelope('exporting'), here.ports);
      }
      await advance(here.clock, MINUTE);
    }
    return (await here.runs.journal('r1')).map(({ type }) => type);
  }
  const asRun = (mode: keyof typeof MODES, parameters: RunParameters = {}) =>
    lustreRunIn('exporting', { mode, verdict: { kind: 'succeeded' }, parameters });

  it.each(['taskExport', 'autoExport'] as const)(
    'goes its steps in their order: %s',
    async (mode) => {
      expect(await exported(exportingWorld(), asRun(mode))).toEqual(MODES[mode]);
    },
  );

  it('goes on with a task where somebody has switched auto-export off', async () => {
    const here = exportingWorld({}, false);
    const run = asRun('autoExport', { exportProof: 'metrics' });
    expect([await exported(here, run), here.calls]).toEqual([
      ['AutoExportDisabled', 'ExportTaskCreated', 'ExportTaskCompleted', 'ReleaseStarted'],
      ['startExport'],
    ]);
  });

  it.each(['taskExport', 'autoExport'] as const)(
    'begins when no job of the run can be alive any more: %s',
    async (mode) => {
      const here = exportingWorld();
      let looks = 0;
      const stop = async () => {
        looks += 1;
        return looks < 4 ? ['job-1'] : [];
      };
      const ports = { ...here.ports, jobs: { ...here.ports.jobs, stop } };
      const main = submittedJob({ status: 'SUCCEEDED', submission: 2, ran: true });
      const run = { ...asRun(mode), jobs: { main } };
      expect(await exported({ ...here, ports }, run)).toEqual([
        'JobsStopped',
        'JobsEnded',
        ...MODES[mode],
      ]);
      expect(looks).toBe(4);
    },
  );

  it('needs no task where the queue is the proof', async () => {
    const here = exportingWorld();
    const run = asRun('autoExport', { exportProof: 'metrics' });
    expect([await exported(here, run), here.calls]).toEqual([
      ['ExportQueueDrained', 'ReleaseStarted'],
      [],
    ]);
  });

  it.each(['taskExport', 'autoExport'] as const)(
    'ends without a release where its task fails again and again: %s',
    async (mode) => {
      const written = await exported(exportingWorld({ lifecycle: 'FAILED' }), asRun(mode));
      expect(written.filter((type) => type === 'ExportFailed').length).toBe(3);
      expect([written.at(-1), written.includes('ReleaseStarted')]).toEqual([
        'StorageRetained',
        false,
      ]);
    },
  );

  it.each(['taskExport', 'autoExport'] as const)(
    'ends without a release where its task never ends: %s',
    async (mode) => {
      const here = exportingWorld({ lifecycle: 'EXECUTING' });
      const written = await exported(here, asRun(mode), 6 * 60 + 1);
      expect(written.slice(-2)).toEqual(['DeadlinePassed', 'StorageRetained']);
    },
  );
});
