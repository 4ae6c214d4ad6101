import { drawFaults, type Faults } from '../../sim/faults';
import { seededRandom } from '../../sim/random';
import type { World } from '../../sim/simulator';
import { BAD_END, endingOf, GOOD_END, RESULT, typesOf } from '../support/endings';
import {
  fileSystemOf,
  HOUR_MS,
  INTERRUPTIONS,
  LUSTRE_WAYS,
  MINUTE_MS,
  onceIn,
  PROVEN_WAYS,
  play,
  WORK,
} from '../support/plays';

const SEEDS = Array.from({ length: 25 }, (_, index) => index + 1);

describe.each(LUSTRE_WAYS)('a run of $way ends well', (way) => {
  it('while nothing goes wrong', async () => {
    expect(await endingOf(await play(way))).toEqual(GOOD_END);
  });

  it('after two interruptions', async () => {
    const played = await play(way, { interruptions: INTERRUPTIONS });
    expect(await endingOf(played)).toEqual(GOOD_END);
    expect(played.facts.filter(({ kind }) => kind === 'started')).toHaveLength(3);
  });

  it('with one file system, which proves its export before it goes', async () => {
    const played = await play(way);
    const types = await typesOf(played);
    const proof = way.way.endsWith('metrics') ? 'ExportQueueDrained' : 'ExportTaskCompleted';
    expect(played.madeFileSystems.size).toBe(1);
    expect(types.indexOf(proof)).toBeGreaterThan(types.indexOf('ExportRequested'));
    expect(types.indexOf('ReleaseStarted')).toBeGreaterThan(types.indexOf(proof));
  });

  it('and its file system is kept where its owner wants it', async () => {
    const ending = await endingOf(await play(way, { wants: { deleteLustre: false } }));
    expect(ending).toEqual({ ...GOOD_END, storage: 'kept' });
  });
});

describe.each(PROVEN_WAYS)('whatever goes wrong, a run of $way', (way) => {
  it.each(SEEDS)('ends well (seed %i)', async (seed) => {
    const faults = drawFaults(seededRandom(seed));
    const played = await play(way, { seed, faults, interruptions: INTERRUPTIONS });
    // A crash may bury a letter, and a sweep that is missed may look late.
    const dead = faults.crash > 0 ? expect.anything() : [];
    const end = { ...GOOD_END, late: expect.anything(), dead };
    expect(await endingOf(played)).toEqual(end);
  });
});

describe('the same seed', () => {
  it.each(LUSTRE_WAYS)('gives the same trace of $way', async (way) => {
    const faults: Faults = { ...drawFaults(seededRandom(7)), crash: 0.1, callMs: 1000 };
    const scenario = { seed: 7, faults, interruptions: INTERRUPTIONS };
    const [first, second] = [await play(way, scenario), await play(way, scenario)];
    expect(await first.cloud.runs.journal('r1')).toEqual(await second.cloud.runs.journal('r1'));
    expect(first.log).toEqual(second.log);
  });
});

describe.each(PROVEN_WAYS)('with places in S3 of its own, a run of $way', (way) => {
  /** Plays a run, and gives what its job found at this path when it began. */
  async function filesFoundBy(wants: object, path: string) {
    let world: World | undefined;
    let found: readonly (string | undefined)[] = [];
    const played = await play(way, {
      wants,
      prepare(_cloud, here) {
        world = here;
        here.buckets.put('inputs', 'set-1/a.txt', 'alpha');
        here.buckets.put('inputs', 'set-1/deep/b.txt', 'beta');
      },
      workload(task) {
        const fileSystemId = fileSystemOf(task);
        const names = world?.trees.list(fileSystemId, path) ?? [];
        found = names.map((name) => `${name} ${world?.trees.read(fileSystemId, name)}`);
        return WORK;
      },
    });
    return { played, found };
  }

  it('finds its input when it begins', async () => {
    const { played, found } = await filesFoundBy(
      { inputRepositoryPath: 's3://inputs/set-1/' },
      '/input',
    );
    expect(found).toEqual(['/input/a.txt alpha', '/input/deep/b.txt beta']);
    expect(await endingOf(played)).toEqual(GOOD_END);
  });

  it('finds what lies at its dataRepositoryPath, and leaves its results there', async () => {
    const { played, found } = await filesFoundBy(
      { dataRepositoryPath: 's3://inputs/set-1/' },
      '/scratch',
    );
    expect(found).toEqual(['/scratch/a.txt alpha', '/scratch/deep/b.txt beta']);
    expect(await endingOf(played)).toEqual({ ...GOOD_END, s3: {} });
    expect(played.buckets.get('inputs', 'set-1/result')).toBe(RESULT);
    expect(played.buckets.get('inputs', 'set-1/a.txt')).toBe('alpha');
  });
});

describe.each(LUSTRE_WAYS)('when its job fails, a run of $way', (way) => {
  /** The job leaves a file before it fails. */
  async function playFailing(wants: object, prepare?: Parameters<typeof play>[1]) {
    let world: World | undefined;
    return play(way, {
      wants,
      workload(task) {
        world?.trees.write(fileSystemOf(task), '/scratch/partial', 'half of it', world.clock.now());
        return { ...WORK, exitCode: 3 };
      },
      ...prepare,
      prepare(_cloud, here) {
        world = here;
      },
    });
  }
  const says = 'job main failed with exit code 3';
  /** Auto-export has brought it long before the job failed. */
  const alongTheWay: { [name: string]: string } =
    way.mode === 'autoExport' ? { partial: 'half of it' } : {};

  it('keeps the file system for a day', async () => {
    const played = await playFailing({});
    const [run] = played.cloud.runs.all();
    const kept = { ...BAD_END, status: 'retained', says, storage: 'there', s3: alongTheWay };
    expect(await endingOf(played)).toEqual(kept);
    expect(Date.parse(run?.retainUntil ?? '') - Date.parse(run?.since ?? '')).toBe(24 * HOUR_MS);
  });

  it('gives the file system back when that time is over', async () => {
    const played = await playFailing({ retainHours: 2 }, { restsAfterMs: 8 * HOUR_MS });
    expect(await endingOf(played)).toEqual({ ...BAD_END, says, s3: alongTheWay });
  });

  it('brings what is there to S3 with onFailure export', async () => {
    const played = await playFailing({ onFailure: 'export' });
    expect(await endingOf(played)).toEqual({ ...BAD_END, says, s3: { partial: 'half of it' } });
  });

  it('gives the file system back at once with onFailure release', async () => {
    const played = await playFailing({ onFailure: 'release' });
    expect(await endingOf(played)).toEqual({ ...BAD_END, says, s3: alongTheWay });
  });
});

describe.each(PROVEN_WAYS)('after an export that failed three times, a run of $way', (way) => {
  it('exports again when somebody resumes it', async () => {
    let isForbidden = true;
    const played = await play(way, {
      fsx: { fate: { file: () => (isForbidden ? 'S3AccessDenied' : undefined) } },
      restsAfterMs: 12 * HOUR_MS,
      prepare(cloud, world) {
        onceIn('retained', { cloud, world, afterMs: 30 * MINUTE_MS }, () => {
          isForbidden = false;
          cloud.request({ runId: 'r1' }, 'RunResumeRequested');
        });
      },
    });
    const s3 = { result: RESULT, '_ebbtide/reports': 'a report' };
    expect(await endingOf(played)).toEqual({ ...GOOD_END, s3 });
    const types = await typesOf(played);
    expect(types.filter((type) => type === 'ExportFailed')).toHaveLength(3);
    expect(types.filter((type) => type === 'ExportTaskCompleted')).toHaveLength(1);
  });
});
