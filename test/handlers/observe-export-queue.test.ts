import fc from 'fast-check';
import {
  defaultsOf,
  type Point,
  type Run,
  type RunParameters,
  type RunStatus,
  STATUSES,
} from '../../events';
import type { SeenAssociation } from '../../handlers';
import { observeExportQueue } from '../../handlers/observe-export-queue';
import { FILE_SYSTEM, later, NOW } from '../support/builders';
import {
  lustreRunIn,
  lustreStorageIn,
  probe,
  runIn,
  seenAssociation,
  seenFileSystem,
  spentJob,
  world,
} from './world';

const MINUTE = 60_000;
const others = STATUSES.filter((status) => status !== 'exporting');
const exporting = (parameters: RunParameters = {}, status: RunStatus = 'exporting'): Run =>
  lustreRunIn(status, {
    mode: 'autoExport',
    parameters: { ...defaultsOf('autoExport'), ...parameters },
    verdict: { kind: 'succeeded' },
    export: { requestedAt: later(0), tries: 1 },
  });
const proving = exporting({ exportProof: 'metrics', lambdaTimeDiffMinutes: 3 });
const minutes = (...values: readonly (number | undefined)[]): Point[] =>
  values.flatMap((value, minute) =>
    value === undefined ? [] : [{ at: NOW + minute * MINUTE, value }],
  );
/** What is judged of these points, where S3 can be reached unless it says otherwise. */
const judged = (
  points: readonly Point[],
  run: Run,
  { now, association = exportsAlong() }: { now: number; association?: SeenAssociation },
) =>
  observeExportQueue.judge?.(
    { seen: seenFileSystem({ associations: [association] }), points },
    run,
    now,
  );
/** The association of a queue: it exports, unless a test says otherwise. */
const exportsAlong = (overrides: Partial<SeenAssociation> = {}) =>
  seenAssociation({ autoExports: true, ...overrides });
const typesOf = (answer: ReturnType<NonNullable<typeof observeExportQueue.judge>> | undefined) =>
  answer?.kind === 'conclude' ? answer.drafts.map(({ type }) => type) : [];

describe('observe-export-queue decides', () => {
  it('looks at the metric of the last minutes', () => {
    const now = NOW + 60 * MINUTE;
    expect(observeExportQueue.decide(exporting(), probe, now)).toEqual({
      kind: 'look',
      target: {
        fileSystemId: FILE_SYSTEM,
        from: now - 19 * MINUTE,
        to: now + MINUTE,
        periodSeconds: 60,
      },
    });
  });

  it.each([
    ['has seen it empty', { export: { requestedAt: later(0), tries: 1, drainedAt: later(0) } }],
    [
      'has auto-export switched off',
      { storage: lustreStorageIn('exporting', { autoExportOffAt: later(0) }) },
    ],
    ['never had a queue', { mode: 'taskExport' }],
  ] as const)('ignores a run that %s', (_what, changes) => {
    expect(observeExportQueue.decide({ ...exporting(), ...changes }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'nobody waits for the export queue',
    });
  });

  it('ignores a run of which a job may be alive: it may write what the queue has not seen', () => {
    const jobs = { main: spentJob({ submission: 2 }) };
    expect(observeExportQueue.decide({ ...exporting(), jobs }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'nobody waits for the export queue',
    });
  });

  it('ignores a run without a file system', () => {
    const storage = lustreStorageIn('exporting', { id: undefined });
    expect(observeExportQueue.decide({ ...exporting(), storage }, probe, NOW)).toEqual({
      kind: 'ignore',
      reason: 'there is no file system',
    });
  });

  it.each(others)('ignores a run that is %s', (status) => {
    for (const run of [exporting({}, status), runIn(status)]) {
      expect(observeExportQueue.decide(run, probe, NOW)).toEqual({
        kind: 'ignore',
        reason: `run is ${status}`,
      });
    }
  });
});

describe('observe-export-queue looks', () => {
  const target = { fileSystemId: FILE_SYSTEM, from: NOW, to: NOW + MINUTE, periodSeconds: 60 };
  const seen = async (shown: readonly ReturnType<typeof seenFileSystem>[]) => {
    const { ports } = world();
    const fileSystems = { ...ports.fileSystems, inspect: async () => shown };
    const asked: unknown[] = [];
    const metrics = {
      async exportQueueAge(wanted: unknown) {
        asked.push(wanted);
        return minutes(0);
      },
    };
    return [await observeExportQueue.look?.(target, { fileSystems, metrics }), asked];
  };

  it('at the file system, and at the metric in the window that was decided', async () => {
    expect(await seen([seenFileSystem()])).toEqual([
      { seen: seenFileSystem(), points: minutes(0) },
      [target],
    ]);
  });

  it('and may find no file system', async () => {
    expect(await seen([])).toEqual([{ seen: undefined, points: minutes(0) }, [target]]);
  });
});

describe('observe-export-queue judges', () => {
  it('one zero to be a sign, where a task brings the proof', () => {
    expect(judged(minutes(9, 9, 0), exporting(), { now: NOW + 3 * MINUTE })).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'ExportQueueDrained',
          data: { fileSystemId: FILE_SYSTEM, drainedAt: later(120) },
        },
      ],
    });
  });

  it('a whole window of zeros to be the proof, where the run says so', () => {
    const points = minutes(9, 9, 9, 0, 0, 0);
    expect(judged(points, proving, { now: NOW + 6 * MINUTE })).toEqual({
      kind: 'conclude',
      drafts: [
        {
          type: 'ExportQueueDrained',
          data: { fileSystemId: FILE_SYSTEM, drainedAt: later(180) },
        },
        { type: 'ReleaseStarted', data: { verdict: { kind: 'succeeded' } } },
      ],
    });
  });

  it('the proof to end the run as its jobs did', () => {
    const run = { ...proving, verdict: { kind: 'failed', reason: 'it broke' } as const };
    const points = minutes(9, 9, 9, 0, 0, 0);
    expect(judged(points, run, { now: NOW + 6 * MINUTE })).toMatchObject({
      drafts: [{}, { data: { verdict: run.verdict } }],
    });
  });

  it.each([
    ['there are no points', []],
    ['one is not zero', minutes(9, 9, 9, 0, 1, 0)],
    ['one is missing', minutes(9, 9, 9, 0, undefined, 0)],
    ['they come too early', minutes(9, 0, 0, 0)],
  ])('nothing where %s, and looks again', (_what, points) => {
    expect(judged(points, proving, { now: NOW + 6 * MINUTE })).toEqual({
      kind: 'again',
      at: NOW + 6 * MINUTE + 20_000,
    });
  });

  it.each([
    ['has moved on', { export: { requestedAt: later(0), tries: 1, drainedAt: later(0) } }],
    ['has lost its file system', { storage: lustreStorageIn('exporting', { id: undefined }) }],
  ])('nothing of an export that %s', (_what, changes) => {
    const points = minutes(9, 9, 9, 0, 0, 0);
    expect(judged(points, { ...proving, ...changes }, { now: NOW + 6 * MINUTE })).toEqual({
      kind: 'ignore',
      reason: 'the export has moved on',
    });
  });
});

describe('observe-export-queue judges an association', () => {
  const now = NOW + 6 * MINUTE;
  const empty = minutes(9, 9, 9, 0, 0, 0);
  const again = { kind: 'again', at: now + 20_000 };
  const misconfigured = (failure?: string) => exportsAlong({ lifecycle: 'MISCONFIGURED', failure });
  const known = (run: Run): Run => ({
    ...run,
    storage: { ...run.storage, misconfigured: { path: '/scratch', since: later(0) } },
  });

  it.each([
    ['access denied', 'the association of /scratch with S3 is MISCONFIGURED: access denied'],
    [undefined, 'the association of /scratch with S3 is MISCONFIGURED'],
  ])('that cannot reach S3 to be news: %s', (failure, reason) => {
    for (const run of [exporting(), proving]) {
      expect(judged(empty, run, { now, association: misconfigured(failure) })).toEqual({
        kind: 'conclude',
        drafts: [{ type: 'RepositoryMisconfigured', data: { path: '/scratch', reason } }],
      });
    }
  });

  it('that cannot reach S3 to be told once, and waits for it', () => {
    for (const run of [exporting(), proving]) {
      const association = misconfigured('access denied');
      expect(judged(empty, known(run), { now, association })).toEqual(again);
    }
  });

  it('that has healed to be news, and nothing more yet', () => {
    for (const run of [exporting(), proving]) {
      expect(judged(empty, known(run), { now })).toEqual({
        kind: 'conclude',
        drafts: [{ type: 'RepositoryRecovered', data: { path: '/scratch' } }],
      });
    }
  });

  it('that has healed to say nothing with what was seen before that', () => {
    const healed = (run: Run): Run => ({
      ...run,
      storage: { ...run.storage, recoveredAt: later(300) },
    });
    for (const run of [exporting(), proving]) {
      expect(typesOf(judged(empty, run, { now }))).toContain('ExportQueueDrained');
      expect(judged(empty, healed(run), { now })).toEqual(again);
    }
    const after = minutes(9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0);
    const answer = judged(after, healed(proving), { now: NOW + 11 * MINUTE });
    expect(typesOf(answer)).toEqual(['ExportQueueDrained', 'ReleaseStarted']);
  });

  it('that somebody has switched off to be off: a task brings the proof, whatever the queue says', () => {
    for (const run of [exporting(), proving]) {
      for (const points of [empty, minutes(), minutes(9)]) {
        const association = exportsAlong({ autoExports: false });
        expect(judged(points, run, { now, association })).toEqual({
          kind: 'conclude',
          drafts: [{ type: 'AutoExportDisabled', data: { fileSystemId: FILE_SYSTEM } }],
        });
      }
    }
  });

  it('that is switched off and was misconfigured to have healed first', () => {
    const association = exportsAlong({ autoExports: false });
    expect(typesOf(judged(empty, known(proving), { now, association }))).toEqual([
      'RepositoryRecovered',
    ]);
  });

  it('that FAILED to be a failed export', () => {
    for (const run of [exporting(), proving]) {
      const association = exportsAlong({ lifecycle: 'FAILED', failure: 'no such bucket' });
      expect(judged(empty, run, { now, association })).toMatchObject({
        drafts: [
          {
            type: 'ExportFailed',
            data: { reason: 'the association of /scratch with S3 is FAILED: no such bucket' },
          },
        ],
      });
    }
  });

  it("that is a stranger's to be none", () => {
    const association = exportsAlong({ associationId: 'dra-another' });
    expect(judged(empty, proving, { now, association })).toEqual(again);
  });

  it.each(['CREATING', 'UPDATING', 'DELETING', 'PAUSED', 'available', ''])(
    'that is %j to wait for: a queue proves nothing then',
    (lifecycle) => {
      for (const run of [exporting(), proving]) {
        const association = exportsAlong({ lifecycle });
        expect(judged(empty, run, { now, association })).toEqual(again);
      }
    },
  );

  it('that FSx does not show to wait for', () => {
    for (const run of [exporting(), proving]) {
      const seen = seenFileSystem({ associations: [] });
      expect(observeExportQueue.judge?.({ seen, points: empty }, run, now)).toEqual(again);
    }
  });
});

describe('the storage is given back on the word of the queue', () => {
  const word = fc.oneof(
    fc.constantFrom('AVAILABLE', 'AVAILABLE', 'MISCONFIGURED', 'UPDATING', 'FAILED'),
    fc.string({ maxLength: 12 }),
  );
  const values = fc.array(fc.constantFrom(0, 0, 0, 0, 3, undefined), { maxLength: 12 });

  it('never, where a task is to bring the proof', () => {
    fc.assert(
      fc.property(values, fc.nat({ max: 20 }), (drawn, minute) => {
        const now = NOW + minute * MINUTE;
        const answer = judged(minutes(...drawn), exporting(), { now });
        expect(typesOf(answer)).not.toContain('ReleaseStarted');
      }),
      { numRuns: 1_000 },
    );
  });

  it('only for three zeros in a row, all later than two minutes after the end of the jobs', () => {
    fc.assert(
      fc.property(values, fc.nat({ max: 20 }), (drawn, minute) => {
        const now = NOW + minute * MINUTE;
        const answer = judged(minutes(...drawn), proving, { now });
        if (!typesOf(answer).includes('ReleaseStarted')) return;
        const over = drawn.slice(0, minute);
        const last = over.findLastIndex((value) => value !== undefined);
        expect([last - 2 > 2, over.slice(last - 2, last + 1)]).toEqual([true, [0, 0, 0]]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('only while its association is available and exports', () => {
    const moment = fc.record({ minute: fc.nat({ max: 20 }), autoExports: fc.boolean() });
    fc.assert(
      fc.property(word, moment, fc.boolean(), (lifecycle, { minute, autoExports }, isTask) => {
        const now = NOW + (minute + 6) * MINUTE;
        const association = exportsAlong({ lifecycle, autoExports });
        const isGood = lifecycle === 'AVAILABLE' && autoExports;
        const zeros = minutes(...Array.from({ length: minute + 6 }, () => 0));
        const run = isTask ? exporting() : proving;
        const types = typesOf(judged(zeros, run, { now, association }));
        expect(types.includes('ExportQueueDrained')).toBe(isGood);
        expect(types.includes('ReleaseStarted')).toBe(isGood && !isTask);
      }),
      { numRuns: 1_000 },
    );
  });
});
