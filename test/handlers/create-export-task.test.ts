import { type Export, type RunStatus, STATUSES } from '../../events';
import { createExportTask } from '../../handlers/create-export-task';
import { FILE_SYSTEM, later, NOW } from '../support/builders';
import { lustreRunIn, lustreStorageIn, probe, runIn, world } from './world';

const others = STATUSES.filter((status) => status !== 'exporting');
const exporting = (changes: Partial<Export> = {}, status: RunStatus = 'exporting') =>
  lustreRunIn(status, { export: { requestedAt: later(0), tries: 1, ...changes } });
const keyOf = (run: ReturnType<typeof exporting>) => {
  const decided = createExportTask.decide(run, probe, NOW);
  return decided.kind === 'proceed' ? decided.key : undefined;
};

describe('create-export-task decides', () => {
  it('exports /scratch, with the list of failed files inside of its association', () => {
    expect(createExportTask.decide(exporting(), probe, NOW)).toEqual({
      kind: 'proceed',
      key: expect.stringMatching(/^r1\.export-[0-9a-z]+\.1$/),
      step: {
        runId: 'r1',
        fileSystemId: FILE_SYSTEM,
        path: '/scratch',
        reportPath: 's3://results/runs/r1/_ebbtide/reports',
      },
    });
  });

  it('has the same key at every delivery', () => {
    expect(keyOf(exporting())).toBe(keyOf(exporting()));
  });

  it('has another key for every try, and for every export of a run that is resumed', () => {
    const keys = [0, 1, 3600].flatMap((second) =>
      [1, 2, 3].map((tries) => keyOf(exporting({ requestedAt: later(second), tries }))),
    );
    expect(new Set(keys).size).toBe(9);
  });

  it.each(['2026-01-01T00:00:00.000Z', '2099-12-31T23:59:59.999Z'])(
    'has a key that FSx takes for the longest id, in an export of %s',
    (requestedAt) => {
      const longest = { ...exporting({ requestedAt, tries: 3 }), id: 'r'.repeat(40) };
      expect(keyOf(longest)?.length).toBeLessThanOrEqual(63);
    },
  );

  it.each([
    ['that pauses', {}, { retryAt: later(60) }, 'pause'],
    ['that has a task', {}, { taskId: 'task-1' }, 'wait'],
    ['whose queue is not empty', { mode: 'autoExport' }, {}, 'drain'],
    [
      'beside which auto-export is on',
      { mode: 'autoExport' },
      { drainedAt: later(0) },
      'switch-off',
    ],
  ] as const)('ignores an export %s', (_what, changes, asked, step) => {
    expect(createExportTask.decide({ ...exporting(asked), ...changes }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: `the export has to ${step}`,
    });
  });

  it('exports once auto-export is off', () => {
    const storage = lustreStorageIn('exporting', { autoExportOffAt: later(0) });
    const run = { ...exporting(), mode: 'autoExport' as const, storage };
    expect(createExportTask.decide(run, probe, NOW).kind).toBe('proceed');
  });

  it('tries again as soon as the pause is over', () => {
    expect(
      createExportTask.decide(exporting({ retryAt: later(0), tries: 2 }), probe, NOW),
    ).toMatchObject({
      kind: 'proceed',
    });
  });

  it('ignores a run without storage', () => {
    const storage = lustreStorageIn('exporting', { id: undefined });
    expect(createExportTask.decide({ ...exporting(), storage }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'there is nothing to export',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    for (const run of [exporting({}, status), runIn(status)]) {
      expect(createExportTask.decide(run, probe, NOW)).toEqual({
        kind: 'ignore',
        reason: `run is ${status}`,
      });
    }
  });
});

describe('create-export-task acts', () => {
  it('under its key', async () => {
    const { ports } = world();
    const asked: unknown[] = [];
    const startExport: typeof ports.fileSystems.startExport = async (wanted) => {
      asked.push(wanted);
      return { ok: true, taskId: 'task-1' };
    };
    const decided = createExportTask.decide(exporting(), probe, NOW);
    if (decided.kind !== 'proceed') throw new Error('nothing to do');
    const fileSystems = { ...ports.fileSystems, startExport };
    expect(await createExportTask.act?.(decided.step, decided.key, { fileSystems })).toMatchObject({
      ok: true,
      taskId: 'task-1',
    });
    expect(asked).toEqual([{ clientToken: decided.key, ...decided.step }]);
  });
});

describe('create-export-task records', () => {
  const clientToken = 'r1.export-1.1';
  const started = { ok: true, taskId: 'task-1', clientToken } as const;
  const busy = { ok: false, isBusy: true, reason: 'another task runs', clientToken } as const;
  const refused = { ok: false, isBusy: false, reason: 'no such path', clientToken } as const;

  it('the task that was started', () => {
    expect(createExportTask.record?.(started, exporting(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [{ type: 'ExportTaskCreated', data: { taskId: 'task-1' } }],
    });
  });

  it('nothing while another task runs: that is no failure, however often', () => {
    expect(createExportTask.record?.(busy, exporting({ tries: 3 }), NOW)).toEqual({
      kind: 'again',
      at: NOW + 30_000,
    });
  });

  it('a refusal as a failed try', () => {
    expect(createExportTask.record?.(refused, exporting(), NOW)).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'ExportFailed',
          data: { reason: 'FSx refused the export task: no such path', retryAt: later(120) },
        },
      ],
    });
  });

  it('the third refusal as the last: the storage is retained', () => {
    expect(createExportTask.record?.(refused, exporting({ tries: 3 }), NOW)).toMatchObject({
      drafts: [{ type: 'ExportFailed' }, { type: 'StorageRetained' }],
    });
  });

  it.each([
    ['has a task', { taskId: 'task-1' }],
    ['pauses', { retryAt: later(60) }],
  ])('nothing in an export that %s by now', (_what, asked) => {
    for (const outcome of [started, busy, refused]) {
      expect(createExportTask.record?.(outcome, exporting(asked), NOW)).toEqual({
        kind: 'ignore',
        reason: 'another delivery has recorded it',
      });
    }
  });
});
