import { isLast, MODES, type Run } from '../../events';
import { tagsFor } from '../../handlers/aws/fsx-tags';
import type { LeakReport } from '../../handlers/feeders/reaper';
import type { Cloud } from '../../sim/cloud';
import { drawFaults } from '../../sim/faults';
import { seededRandom } from '../../sim/random';
import { memoryRuns } from '../../sim/run-store';
import { START, settingsOf, simulate, type World } from '../../sim/simulator';
import type { LocalVolume } from '../../sim/volumes';
import { endingOf, GOOD_END } from '../support/endings';
import { HOUR_MS, MINUTE_MS, type Played, play } from '../support/plays';
import { playWrapped } from '../support/wrapped-cloud';

/** The storage of living runs that is not there, by run. */
function robbed({ runs, volumes, fsx }: Cloud): readonly string[] {
  return runs
    .all()
    .filter((run) => ['ready', 'running', 'exporting', 'retained'].includes(run.status))
    .filter(({ storage: { id = '' } }) => !volumes.get(id) && !fsx.get(id))
    .map(({ id, status }) => `${id} is ${status}`);
}

describe('the reaper, while 100 runs of all modes come and go over two days', () => {
  const RUNS = 100;
  const EVERY_MS = 12 * MINUTE_MS;

  function requestOf(index: number): object {
    const mode = MODES[index % MODES.length] ?? 'onlyEBS';
    const keeps = index % 17 === 0;
    return {
      runId: `r${index}`,
      mode,
      parameters: mode === 'onlyEBS' ? { deleteEbs: !keeps } : { deleteLustre: !keeps },
    };
  }

  it('never deletes the storage of a run that is not over', async () => {
    const wrong = new Set<string>();
    const { cloud } = await simulate({
      ...{ seed: 1, reaper: 'act', requests: [], restsAfterMs: RUNS * EVERY_MS },
      settings: settingsOf(...MODES),
      faults: { ...drawFaults(seededRandom(1)), crash: 0.1, dropOwn: 0.2, lateMs: 300_000 },
      workload: ({ wanted }) => ({
        ...{ workMs: HOUR_MS, checkpointMs: HOUR_MS },
        // Few are retained at a time: of many the reaper would touch none, whatever it thought of them.
        exitCode: Number(wanted.runId.slice(1)) % 40 === 7 ? 3 : 0,
      }),
      prepare(here, { clock }) {
        for (let index = 0; index < RUNS; index += 1) {
          clock.at(clock.now() + index * EVERY_MS, () => here.request(requestOf(index)));
        }
        const look = () => {
          for (const each of robbed(here)) wrong.add(each);
          clock.at(clock.now() + 10 * MINUTE_MS, look);
        };
        look();
      },
    });
    expect([...wrong]).toEqual([]);
    expect(cloud.runs.all()).toHaveLength(RUNS);
    for (const { id } of cloud.runs.all()) {
      const types = (await cloud.runs.journal(id)).map(({ type }) => type);
      expect([id, types.includes('StorageLost')]).toEqual([id, false]);
    }
    expect(await cloud.reap('report')).toMatchObject({ items: [], alarms: [] });
  });
});

/** Calls back with what is there, at these times after the start. */
function watching(hours: readonly number[], { clock }: World, look: (hour: number) => void): void {
  for (const hour of hours) clock.at(START + hour * HOUR_MS, () => look(hour));
}

describe('storage that was made by hand for a run that is over and released', () => {
  /** When somebody makes it: the run is over by then, but not for an hour. */
  const MADE_AT = { onlyEBS: 1.2, taskExport: 1.6 } as const;

  const makeOf = {
    onlyEBS: ({ volumes }: Cloud) =>
      void volumes.create({
        ...{ clientToken: 'by-hand', runId: 'r1', zone: 'us-east-1a' },
        ...{ sizeGib: 500, iops: 5000, throughputMibps: 500 },
      }),
    taskExport: ({ fsx }: Cloud) =>
      void fsx.createFileSystem({
        ...{ ClientRequestToken: 'by-hand', FileSystemType: 'LUSTRE', StorageCapacity: 1200 },
        ...{ SubnetIds: ['subnet-00000000000000000'], StorageType: 'SSD' },
        ...{ SecurityGroupIds: ['sg-00000000000000000'], FileSystemTypeVersion: '2.15' },
        LustreConfiguration: { DeploymentType: 'SCRATCH_2' },
        Tags: tagsFor('Local', 'r1'),
      }),
  };

  it.each(['onlyEBS', 'taskExport'] as const)(
    'is left alone for two hours and is gone after four (%s)',
    async (mode) => {
      const madeAt = MADE_AT[mode];
      const left = new Map<number, number>();
      const statuses = new Set<Run['status'] | undefined>();
      await play(
        { mode },
        {
          reaper: 'act',
          restsAfterMs: 8 * HOUR_MS,
          prepare(cloud, world) {
            watching([madeAt], world, () => {
              statuses.add(cloud.runs.all()[0]?.status);
              makeOf[mode](cloud);
            });
            watching([madeAt + 1.9, madeAt + 4], world, (hour) =>
              left.set(hour, cloud.volumes.all().length + cloud.fsx.all().length),
            );
          },
        },
      );
      expect([...statuses]).toEqual(['succeeded']);
      expect([...left.values()]).toEqual([1, 0]);
    },
  );
});

/** Lets the reaper of another cloud act every hour over volumes that are there, with another table. */
async function reapElsewhere(
  volumes: readonly LocalVolume[],
  { runs = memoryRuns(), start }: { runs?: ReturnType<typeof memoryRuns>; start: number },
): Promise<{ played: Played; reports: readonly LeakReport[] }> {
  const reports: LeakReport[] = [];
  const played = await playWrapped({
    ...{ volumes, runs, start, restsAfterMs: 6 * HOUR_MS },
    prepare(cloud, { clock }) {
      const hourly = () => {
        void cloud.reap('act').then((report) => reports.push(report));
        clock.at(clock.now() + HOUR_MS, hourly);
      };
      hourly();
    },
  });
  return { played, reports };
}

describe('a volume that its owner keeps', () => {
  it('is never deleted, though its run has expired from the table', async () => {
    const before = await play({ mode: 'onlyEBS' }, { wants: { deleteEbs: false } });
    expect(await endingOf(before)).toEqual({ ...GOOD_END, storage: 'kept' });
    const volumes = before.cloud.volumes.all();
    const { played, reports } = await reapElsewhere(volumes, { start: before.clock.now() });
    expect(played.cloud.volumes.all()).toEqual(volumes);
    expect(reports.at(-1)).toMatchObject({ seen: 1, items: [], alarms: [] });
  });
});

describe('a table that was restored', () => {
  const LIVE = 100;

  /** A hundred runs, stopped in the middle of their work with the table and the volumes as they are then. */
  async function hundredLiveRuns() {
    let volumes: readonly LocalVolume[] = [];
    let living = 0;
    const { clock, cloud } = await simulate({
      seed: 1,
      requests: Array.from({ length: LIVE }, (_, index) => ({ runId: `r${index}` })),
      restsAfterMs: 2 * HOUR_MS,
      prepare(here, world) {
        watching([0.75], world, () => {
          volumes = here.volumes.all();
          living = here.runs.all().filter(({ status }) => !isLast(status)).length;
        });
      },
    });
    return { volumes, living, cloud, now: clock.now() };
  }

  it('without any of a hundred living runs costs none of their volumes, and rings an alarm', async () => {
    const { volumes, living, now } = await hundredLiveRuns();
    expect([living, volumes.length]).toEqual([LIVE, LIVE]);
    const { played, reports } = await reapElsewhere(volumes, { start: now });
    expect(played.cloud.volumes.all()).toEqual(volumes);
    expect(reports.length).toBeGreaterThan(5);
    for (const { alarms, items } of reports) {
      expect(items.filter(({ action }) => action !== 'none')).toEqual([]);
      expect(alarms).toEqual([
        expect.stringMatching(/^100 of 100 in quarantine, \$\d+\.\d\d\/h: .*restored, mend that/),
      ]);
    }
  });

  it('of last week, with other runs that are over, costs none of them either', async () => {
    const { volumes, now } = await hundredLiveRuns();
    const runs = memoryRuns();
    const old = await play({ mode: 'onlyEBS' }, { requests: [{ runId: 'of-last-week' }] });
    runs.load(await old.cloud.runs.journal('of-last-week'));
    const { played, reports } = await reapElsewhere(volumes, { runs, start: now });
    expect(played.cloud.volumes.all()).toEqual(volumes);
    expect(reports.at(-1)?.alarms).toEqual([expect.stringMatching(/^100 of 100 in quarantine/)]);
  });

  it('that says of a hundred living runs that they are over deletes none, and says so', async () => {
    const { volumes, cloud, now } = await hundredLiveRuns();
    const runs = memoryRuns();
    for (const { id } of cloud.runs.all()) runs.load(await cloud.runs.journal(id));
    const { played, reports } = await reapElsewhere(volumes, { runs, start: now });
    expect(played.cloud.volumes.all()).toEqual(volumes);
    expect(reports.at(-1)?.alarms).toEqual([
      expect.stringMatching(/^100 of 100 due to be deleted, and 5 is the most for one sweep/),
    ]);
  });
});
