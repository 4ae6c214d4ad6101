import fc from 'fast-check';
import { isLast, type Run, STATUSES, type Storage } from '../../events';
import type { OwnedStorage } from '../../handlers';
import { IncompleteSweep, type LeakReport, reap } from '../../handlers/feeders/reaper';
import { virtualClock } from '../../sim/clock';
import { memoryRuns } from '../../sim/run-store';
import { memorySightings } from '../../sim/sightings';
import { advance, later, NOW } from '../support/builders';
import { given, runIn, storageIn, VOLUME } from './world';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** When the volumes of these tests were made, unless they say otherwise. */
const LONG_AGO = later(-9 * 3600);

/** A run that was accepted before those were made. */
const longRunIn: typeof runIn = (status, overrides) =>
  runIn(status, { acceptedAt: LONG_AGO, ...overrides });

const owned = (overrides: Partial<OwnedStorage> = {}): OwnedStorage => ({
  ...{ storageId: VOLUME, kind: 'volume', runId: 'r1', createdAt: LONG_AGO, sizeGib: 500 },
  ...{ pricePerHour: 0.25, isInUse: false, isKept: false },
  ...overrides,
});
const numbered = (count: number, overrides: Partial<OwnedStorage> = {}) =>
  Array.from({ length: count }, (_, index) =>
    owned({ storageId: `vol-${1000 + index}`, runId: `r${index}`, ...overrides }),
  );
const runOf = ({ runId: id, storageId }: OwnedStorage, found: Run): Run => ({
  ...found,
  id,
  storage: { ...found.storage, id: found.storage.id && storageId },
});
/** A run that ended ten hours ago, its storage given back. */
const OVER = longRunIn('succeeded', { since: later(-10 * 3600) });

/** One kind of storage in a cloud: what is there, and each wish to delete. */
function shelf(storages: readonly OwnedStorage[]) {
  const there = new Map(storages.map((storage) => [storage.storageId, storage]));
  const asked: string[] = [];
  const deleted: string[] = [];
  return {
    there,
    asked,
    deleted,
    list: async (): Promise<readonly OwnedStorage[]> => [...there.values()],
    async discard(storageId: string) {
      asked.push(storageId);
      const storage = there.get(storageId);
      if (!storage || storage.isInUse || storage.isKept) return false;
      there.delete(storageId);
      deleted.push(storageId);
      return true;
    },
  };
}

/** A cloud with these in it, and a table with these runs. */
async function world(storages: readonly OwnedStorage[], rows: readonly Run[] = []) {
  const clock = virtualClock(NOW);
  const volumes = shelf(storages.filter(({ kind }) => kind === 'volume'));
  const fileSystems = shelf(storages.filter(({ kind }) => kind === 'fileSystem'));
  const runs = memoryRuns();
  for (const row of rows) await given(runs, row);
  const sightings = memorySightings();
  const ports = { clock, runs, volumes, fileSystems, sightings };
  const pass = (ms: number) => advance(clock, ms);
  /** Sweeps now and an hour later; gives the second report. */
  const twice = async (mode: 'report' | 'act' = 'act') => {
    await reap(ports, mode);
    await pass(HOUR);
    return reap(ports, mode);
  };
  const deleted = () => [...volumes.deleted, ...fileSystems.deleted];
  return { ...ports, ports, pass, twice, deleted };
}

/** A world in which so many volumes are leaked. */
const leaking = (count: number, overrides: Partial<OwnedStorage> = {}) => {
  const storages = numbered(count, overrides);
  return world(
    storages,
    storages.map((each) => runOf(each, OVER)),
  );
};
const actionsOf = ({ items }: LeakReport) => items.map(({ action }) => action);
const idsOf = (storages: readonly OwnedStorage[]) => storages.map(({ storageId }) => storageId);

describe('leaked storage', () => {
  it('is not deleted when it is first seen', async () => {
    const { ports, deleted } = await leaking(1);
    const report = await reap(ports, 'act');
    expect([actionsOf(report), deleted()]).toEqual([['waiting'], []]);
  });

  it.each([
    [59 * MINUTE, []],
    [HOUR, ['vol-1000']],
  ])('that was seen %i ms before: what is deleted?', async (ms, gone) => {
    const { ports, pass, deleted } = await leaking(1);
    await reap(ports, 'act');
    await pass(ms);
    await reap(ports, 'act');
    expect(deleted()).toEqual(gone);
  });

  it('keeps its hour over any number of looks within it', async () => {
    const { ports, pass, deleted } = await leaking(1);
    for (let count = 0; count < 4; count += 1) {
      await reap(ports, 'report');
      await pass(HOUR / 4);
    }
    await reap(ports, 'act');
    expect(deleted()).toEqual(['vol-1000']);
  });

  it('is deleted where it is a file system', async () => {
    const { twice, fileSystems } = await leaking(1, { kind: 'fileSystem' });
    expect([actionsOf(await twice()), fileSystems.deleted]).toEqual([['deleted'], ['vol-1000']]);
  });

  it('is not there any more in the next report', async () => {
    const { ports, twice } = await leaking(1);
    await twice();
    expect((await reap(ports, 'act')).items).toEqual([]);
  });

  it('is told of with why, how old it is, what it costs and what became of it', async () => {
    const { twice } = await leaking(1);
    expect(await twice()).toEqual({
      at: later(3600),
      mode: 'act',
      seen: 1,
      items: [
        {
          ...{ storageId: 'vol-1000', kind: 'volume', runId: 'r0', finding: 'leaked' },
          reason: `run r0 is succeeded since ${later(-36_000)} and its storage is released, but this is still there; deleted`,
          ...{ ageMs: 10 * HOUR, pricePerHour: 0.25, action: 'deleted' },
        },
      ],
      alarms: [],
      dollarsPerHour: 0,
    });
  });

  it('is never deleted in mode report', async () => {
    const { twice, volumes } = await leaking(1);
    const report = await twice('report');
    expect([actionsOf(report), volumes.asked, report.dollarsPerHour]).toEqual([
      ['waiting'],
      [],
      0.25,
    ]);
    expect(report.items[0]?.reason).toContain('which mode act would do');
  });

  it('that is in use is refused, and that is told', async () => {
    const { twice, deleted } = await leaking(1, { isInUse: true });
    const { items, alarms } = await twice();
    expect([items[0]?.action, items[0]?.reason.split('; ')[1], deleted()]).toEqual([
      'refused',
      'not deleted: it is in use',
      [],
    ]);
    expect(alarms).toEqual(['1 of 1 not deleted, though due: the reason stands with each']);
  });

  it('that its owner keeps is not told of', async () => {
    const { twice, volumes } = await leaking(1, { isKept: true });
    expect([(await twice()).items, volumes.asked]).toEqual([[], []]);
  });

  it('that was made before its run was accepted is of an earlier one, and is left to a person', async () => {
    const [storage] = numbered(1);
    const row = { ...OVER, id: 'r0', acceptedAt: later(-9 * 3600 + 301) };
    const { twice, volumes } = await world(storage ? [storage] : [], [row]);
    const { items, alarms } = await twice();
    expect([items.map(({ finding }) => finding), volumes.asked]).toEqual([['quarantined'], []]);
    expect(alarms).toEqual([expect.stringContaining('1 of 1 in quarantine')]);
  });

  it('counts once though the cloud shows it twice', async () => {
    const { ports, twice, volumes } = await leaking(5);
    const [first] = await volumes.list();
    volumes.list = async () => [...volumes.there.values(), ...(first ? [first] : [])];
    await twice();
    expect((await reap(ports, 'act')).items.length).toBe(1);
    expect(volumes.deleted.length).toBe(5);
  });
});

describe('the hour of leaked storage', () => {
  const [storage] = numbered(1);
  const lives = longRunIn('running', {
    id: 'r0',
    storage: storageIn('running', { id: 'vol-1000' }),
  });
  const over = { ...OVER, id: 'r0', storage: { ...OVER.storage, id: 'vol-1000' } };
  /** Sweeps hourly, the run's row being these one after the other. */
  async function through(...rows: readonly (Run | undefined)[]) {
    const here = await world(storage ? [storage] : []);
    let row: Run | undefined;
    const runs = { get: async () => row };
    const actions: string[] = [];
    for (row of rows) {
      actions.push(actionsOf(await reap({ ...here.ports, runs }, 'act'))[0] ?? 'nothing');
      await here.pass(HOUR);
    }
    return actions;
  }

  it('begins anew when its run lives in a look between', async () => {
    expect(await through(over, lives, over, over)).toEqual([
      'waiting',
      'nothing',
      'waiting',
      'deleted',
    ]);
  });

  it('begins anew when its row is gone in a look between', async () => {
    expect(await through(over, undefined, over)).toEqual(['waiting', 'none', 'waiting']);
  });

  it('begins anew when its run lived between two looks', async () => {
    const again = { ...over, since: later(1800) };
    expect(await through(over, again, again)).toEqual(['waiting', 'waiting', 'deleted']);
  });

  it('begins anew when the cloud did not show it in a look between', async () => {
    const { ports, pass, deleted } = await leaking(1);
    await reap(ports, 'act');
    await pass(HOUR);
    const hidden = { ...ports.volumes, list: async () => [] };
    await reap({ ...ports, volumes: hidden }, 'act');
    await pass(HOUR);
    await reap(ports, 'act');
    expect(deleted()).toEqual([]);
  });
});

describe('storage that no row releases', () => {
  const wished = { parameters: { deleteEbs: false } };
  const kept = longRunIn('succeeded', {
    ...wished,
    storage: storageIn('succeeded', { over: 'kept' }),
  });

  it.each([
    ['whose row expired, with its owner’s tag', undefined, true, []],
    ['whose row expired, without the tag', undefined, false, ['quarantined']],
    ['that was kept, with its owner’s tag', kept, true, []],
    ['that was kept, without the tag', kept, false, ['quarantined']],
  ])('%s is left alone', async (_what, row, isKept, findings) => {
    const { twice, volumes } = await world([owned({ isKept })], row ? [row] : []);
    const { items } = await twice();
    expect([items.map(({ finding }) => finding), volumes.asked]).toEqual([findings, []]);
  });

  it('is alarmed and listed with its price and age', async () => {
    const { ports } = await world([owned()]);
    const { items, alarms, dollarsPerHour } = await reap(ports, 'act');
    expect(items).toMatchObject([{ action: 'none', ageMs: 9 * HOUR, pricePerHour: 0.25 }]);
    expect([dollarsPerHour, alarms]).toEqual([
      0.25,
      [expect.stringContaining('1 of 1 in quarantine, $0.25/h')],
    ]);
  });

  it('is judged without asking where its tag is no run’s id', async () => {
    const { ports } = await world([owned({ runId: '' })]);
    const runs = { get: async () => Promise.reject(new Error('no key')) };
    expect((await reap({ ...ports, runs }, 'act')).items).toMatchObject([
      { finding: 'quarantined' },
    ]);
  });
});

describe('a table restored to last week, while 100 runs live,', () => {
  const storages = numbered(100);
  const rows = (old: Run) => storages.map((each) => runOf(each, old));
  const bare: Partial<Storage> = { id: undefined, availableAt: undefined };

  it.each([
    ['that has none of them', [], 'in quarantine, $25.00/h'],
    ['in which all wait for room', rows(longRunIn('queued')), 'not the storage of the living run'],
    [
      'in which all are being made',
      rows(longRunIn('provisioning')),
      'not the storage of the living',
    ],
    ['in which all were rejected', rows(longRunIn('rejected')), 'in quarantine'],
    [
      'in which runs of the same ids had ended, kept',
      rows(longRunIn('failed', { storage: storageIn('failed', { over: 'kept' }) })),
      'in quarantine',
    ],
    [
      'in which runs of the same ids had ended days before these began',
      rows({ ...OVER, since: later(-7 * 86_400), storage: storageIn('failed', bare) }),
      'in quarantine',
    ],
    ['in which runs of the same ids were over', rows(OVER), 'due to be deleted'],
  ])('%s, loses nothing, and that is told', async (_what, old, sentence) => {
    const { twice, volumes } = await world(storages, old);
    const { alarms, items } = await twice();
    expect([volumes.asked, items.length]).toEqual([[], 100]);
    expect(alarms).toEqual([expect.stringContaining(`100 of 100 ${sentence}`)]);
  });

  it('in which all lived already, loses nothing', async () => {
    const { twice, volumes } = await world(storages, rows(longRunIn('running')));
    expect([(await twice()).items, volumes.asked]).toEqual([[], []]);
  });
});

describe('at most five deletions', () => {
  it('are made in one sweep', async () => {
    const { twice, deleted } = await leaking(5);
    expect([actionsOf(await twice()), deleted().length]).toEqual([Array(5).fill('deleted'), 5]);
  });

  it('are made, or none: six are an alarm', async () => {
    const { twice, volumes } = await leaking(6);
    const report = await twice();
    expect([actionsOf(report), volumes.asked]).toEqual([Array(6).fill('waiting'), []]);
    expect(report.alarms).toEqual([expect.stringContaining('6 of 6 due to be deleted')]);
    expect(report.items[0]?.reason).toContain('delete it by hand if it is nobody’s');
  });

  it('are counted over both kinds', async () => {
    const storages = [
      ...numbered(3),
      ...numbered(6, { kind: 'fileSystem' })
        .slice(3)
        .map((each) => ({ ...each, storageId: each.storageId.replace('vol', 'fs') })),
    ];
    const rows = storages.map((each) => runOf(each, OVER));
    const { twice, deleted } = await world(storages, rows);
    expect([actionsOf(await twice()), deleted()]).toEqual([Array(6).fill('waiting'), []]);
  });

  it('do not count what has not been seen for an hour', async () => {
    const { ports, volumes, runs, pass, deleted } = await leaking(5);
    await reap(ports, 'act');
    await pass(HOUR);
    const late = owned({ storageId: 'vol-2000', runId: 'late' });
    volumes.there.set(late.storageId, late);
    await given(runs, runOf(late, OVER));
    const report = await reap(ports, 'act');
    expect([actionsOf(report).sort(), deleted()]).toEqual([
      [...Array(5).fill('deleted'), 'waiting'],
      idsOf(numbered(5)),
    ]);
  });
});

describe('a look that races', () => {
  it('asks the table after it listed the cloud: a row that came between counts', async () => {
    const { ports, volumes, runs } = await world([owned()]);
    const list = async () => {
      const listed = await volumes.list();
      await given(runs, longRunIn('running'));
      return listed;
    };
    expect((await reap({ ...ports, volumes: { ...volumes, list } }, 'act')).items).toEqual([]);
  });

  it('leaves alone what appears between the list and the question', async () => {
    const { ports, volumes, runs } = await world([]);
    const get = async (id: string) => runs.get(id);
    const list = async () => {
      const listed = await volumes.list();
      volumes.there.set('vol-new', owned({ storageId: 'vol-new', createdAt: later(0) }));
      return listed;
    };
    const report = await reap({ ...ports, runs: { get }, volumes: { ...volumes, list } }, 'act');
    expect([report.seen, report.items, volumes.asked]).toEqual([0, [], []]);
  });

  it('against another one deletes nothing twice', async () => {
    const { ports, pass, deleted } = await leaking(5);
    await reap(ports, 'act');
    await pass(HOUR);
    const both = await Promise.all([reap(ports, 'act'), reap(ports, 'act')]);
    const actions = both.flatMap(actionsOf).filter((action) => action === 'deleted');
    expect([deleted().sort(), actions.length]).toEqual([idsOf(numbered(5)), 5]);
  });

  it('against another one never has more than five deleted', async () => {
    const { ports, pass, deleted } = await leaking(6);
    await Promise.all([reap(ports, 'act'), reap(ports, 'act')]);
    await pass(HOUR);
    await Promise.all([reap(ports, 'act'), reap(ports, 'act')]);
    expect(deleted()).toEqual([]);
  });

  it('against an owner who keeps the storage meanwhile is refused', async () => {
    const { ports, pass, volumes, deleted } = await leaking(1);
    await reap(ports, 'act');
    await pass(HOUR);
    const list = async () => {
      const listed = await volumes.list();
      for (const each of listed) volumes.there.set(each.storageId, { ...each, isKept: true });
      return listed;
    };
    const report = await reap({ ...ports, volumes: { ...volumes, list } }, 'act');
    expect([actionsOf(report), deleted()]).toEqual([['refused'], []]);
  });
});

describe('a look that fails in part', () => {
  const broken = async (): Promise<never> => {
    throw new Error('no answer');
  };
  /** The error of a second look an hour after the first. */
  async function failed(
    here: Awaited<ReturnType<typeof world>>,
    changes: Partial<(typeof here)['ports']>,
  ): Promise<IncompleteSweep> {
    await reap(here.ports, 'act');
    await here.pass(HOUR);
    const error = await reap({ ...here.ports, ...changes }, 'act').catch((thrown) => thrown);
    if (!(error instanceof IncompleteSweep)) throw new Error(`not what was expected: ${error}`);
    return error;
  }

  it('is thrown, and goes on with the other kind', async () => {
    const here = await leaking(1);
    const fileSystems = { ...here.fileSystems, list: broken };
    const { message, report } = await failed(here, { fileSystems });
    expect([message, actionsOf(report), here.deleted()]).toEqual([
      'the look for leaks failed 1 times, first: could not list the file systems: no answer',
      ['deleted'],
      ['vol-1000'],
    ]);
  });

  it('deletes nothing of a kind it could not list', async () => {
    const here = await leaking(1);
    const { report } = await failed(here, { volumes: { ...here.volumes, list: broken } });
    expect([report.seen, here.deleted()]).toEqual([0, []]);
  });

  it('deletes nothing of whose run the table did not tell, and the rest', async () => {
    const here = await leaking(3);
    const get = (id: string) => (id === 'r1' ? broken() : here.runs.get(id));
    const { message, report } = await failed(here, { runs: { ...here.runs, get } });
    expect([message, here.deleted(), report.alarms]).toEqual([
      'the look for leaks failed 1 times, first: could not read run r1: no answer',
      ['vol-1000', 'vol-1002'],
      ['1 of 3 could not be judged, as the table did not answer: they are left alone'],
    ]);
  });

  it('deletes nothing when it does not know what it saw before', async () => {
    const here = await leaking(1);
    const sightings = { ...here.sightings, firstSeen: broken };
    const { report } = await failed(here, { sightings });
    expect([actionsOf(report), here.deleted()]).toEqual([['waiting'], []]);
  });

  it('says what it could not delete, and deletes the rest', async () => {
    const here = await leaking(2);
    const { discard } = here.volumes;
    const halting = (id: string) => (id === 'vol-1000' ? broken() : discard(id));
    const { report } = await failed(here, { volumes: { ...here.volumes, discard: halting } });
    expect([actionsOf(report), here.deleted()]).toEqual([['refused', 'deleted'], ['vol-1001']]);
    expect(report.items[0]?.reason).toContain('not deleted: no answer');
  });
});

describe('a report', () => {
  const nobodys = owned({ storageId: 'vol-a', runId: 'gone' });
  const extra = owned({ storageId: 'vol-b' });
  const leaked = owned({ storageId: 'vol-c', runId: 'over' });
  const rows = [longRunIn('running'), runOf(leaked, OVER)];

  const another = owned({ storageId: 'vol-0', runId: 'gone' });

  it('lists what is leaked first, what is in quarantine then, each by its id', async () => {
    const { ports } = await world([extra, nobodys, leaked, another], rows);
    expect((await reap(ports, 'act')).items.map(({ storageId }) => storageId)).toEqual([
      'vol-c',
      'vol-0',
      'vol-a',
      'vol-b',
    ]);
  });

  it('is the same, word for word, in whatever order the cloud answers', async () => {
    const [a, b] = [
      await world([extra, another, nobodys, leaked], rows),
      await world([leaked, extra, nobodys, another], rows),
    ];
    expect(JSON.stringify(await reap(a.ports, 'act'))).toBe(
      JSON.stringify(await reap(b.ports, 'act')),
    );
  });
});

describe('the memory of what was seen', () => {
  it('goes on where another one was when it was written down', async () => {
    const here = await leaking(1);
    await reap(here.ports, 'act');
    await here.pass(HOUR);
    const sightings = memorySightings(JSON.parse(JSON.stringify(here.sightings.all())));
    await reap({ ...here.ports, sightings }, 'act');
    expect(here.deleted()).toEqual(['vol-1000']);
  });
});

describe('whatever the cloud and the table hold', () => {
  const seconds = fc.constantFrom(-9_999_999, -36_000, -7200, -3600, -3599, -60, 0);
  const row = fc.record({
    status: fc.constantFrom(...STATUSES, 'succeeded' as const),
    over: fc.constantFrom('released' as const, 'released' as const, 'kept', 'lost', undefined),
    since: seconds,
    acceptedAt: seconds,
    deleteEbs: fc.constantFrom(true, true, false),
    has: fc.constantFrom('own' as const, 'other' as const, 'none' as const),
  });
  interface Row {
    readonly status: Run['status'];
    readonly over: Storage['over'];
    readonly since: number;
    readonly acceptedAt: number;
    readonly deleteEbs: boolean;
    readonly has: 'own' | 'other' | 'none';
  }
  type Piece = Pick<OwnedStorage, 'kind' | 'isInUse' | 'isKept'> & {
    readonly createdAt: number;
    readonly row: Row | null;
  };
  const kind = fc.constantFrom('volume' as const, 'fileSystem' as const);
  const piece = fc.record({
    kind,
    createdAt: seconds,
    isInUse: fc.boolean(),
    isKept: fc.boolean(),
    row: fc.option(row, { freq: 4 }),
  });
  const worlds = fc.record({
    pieces: fc.array(piece, { maxLength: 9 }),
    mode: fc.constantFrom('act' as const, 'act' as const, 'report' as const),
    sweeps: fc.integer({ min: 1, max: 3 }),
  });
  const storageOf = (each: Piece, index: number): OwnedStorage =>
    owned({
      ...{ kind: each.kind, isInUse: each.isInUse, isKept: each.isKept },
      storageId: `vol-${index}`,
      runId: `r${index}`,
      createdAt: later(each.createdAt),
    });
  const rowOf = ({ row: found }: Piece, index: number): Run[] => {
    if (!found) return [];
    const { status, over, since, acceptedAt, deleteEbs, has } = found;
    const id = { own: `vol-${index}`, other: 'vol-other', none: undefined }[has];
    const storage = storageIn(status, { id, over, availableAt: id && later(0) });
    return [
      runIn(status, {
        ...{ id: `r${index}`, since: later(since), acceptedAt: later(acceptedAt) },
        ...{ storage, parameters: { deleteEbs } },
      }),
    ];
  };

  it('nothing is deleted but what a run that is over has released', async () => {
    let deletions = 0;
    await fc.assert(
      fc.asyncProperty(worlds, async ({ pieces, mode, sweeps }) => {
        const here = await world(pieces.map(storageOf), pieces.flatMap(rowOf));
        for (let count = 0; count < sweeps; count += 1) {
          const before = here.deleted().length;
          await reap(here.ports, mode);
          expect(here.deleted().length - before).toBeLessThanOrEqual(5);
          await here.pass(HOUR);
        }
        for (const storageId of [...here.volumes.asked, ...here.fileSystems.asked]) {
          const found = await here.runs.get(storageId.replace('vol-', 'r'));
          expect([found && isLast(found.status), found?.storage.over]).toEqual([true, 'released']);
          const made = pieces[Number(storageId.replace('vol-', ''))]?.createdAt ?? 0;
          expect(Date.parse(later(made))).toBeGreaterThanOrEqual(
            Date.parse(found?.acceptedAt ?? '') - 5 * MINUTE,
          );
        }
        const kept = pieces.map(storageOf).filter((each) => each.isKept || each.isInUse);
        expect(here.deleted().filter((id) => idsOf(kept).includes(id))).toEqual([]);
        if (mode === 'report' || sweeps === 1) expect(here.deleted()).toEqual([]);
        deletions += here.deleted().length;
      }),
      { numRuns: 500 },
    );
    // A reaper that does nothing at all would pass the rest.
    expect(deletions).toBeGreaterThan(0);
  });
});
