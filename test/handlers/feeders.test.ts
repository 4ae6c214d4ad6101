import { ACTIVE_STATUSES, type ArrayCounts, hash, type RunEvent } from '../../events';
import {
  type Bus,
  type BusEntry,
  type Look,
  type ProbeMessage,
  type SeenFileSystem,
  type SeenJob,
  Throttled,
  type Volume,
} from '../../handlers';
import { publishEvents } from '../../handlers/feeders/publish-events';
import { scheduleProbe, sendProbe } from '../../handlers/feeders/send-probes';
import { sweep } from '../../handlers/feeders/sweep';
import type { MemoryRuns } from '../../sim/run-store';
import { FILE_SYSTEM, later } from '../support/builders';
import {
  given,
  runIn,
  seenFileSystem,
  seenJob,
  submittedJob,
  VOLUME,
  type World,
  world,
} from './world';

/** A bus that keeps what it is given, call by call, and takes what it likes. */
function keptBus(takes: (entry: BusEntry) => boolean = () => true) {
  const calls: (readonly BusEntry[])[] = [];
  const bus: Bus = {
    async put(entries) {
      calls.push(entries);
      return entries.map(takes);
    },
  };
  return { bus, calls, entries: () => calls.flat() };
}

const events = Array.from(
  { length: 23 },
  (_, index): RunEvent => ({
    ...{ type: 'RequestRefused', runId: 'r1', mode: 'onlyEBS', status: 'ready' },
    ...{ seq: index + 1, time: later(index), data: { reason: `${index}` } },
  }),
);
const seqOf = ({ detail }: BusEntry) => (detail as { seq: number }).seq;

describe('publish-events', () => {
  it('puts at most ten events per call', async () => {
    const { bus, calls } = keptBus();
    await publishEvents(events, { bus });
    expect(calls.map(({ length }) => length)).toEqual([10, 10, 3]);
  });

  it('keeps their order', async () => {
    const { bus, entries } = keptBus();
    await publishEvents(events, { bus });
    expect(entries().map(seqOf)).toEqual(events.map(({ seq }) => seq));
  });

  it('puts an event with its name outside and everything else inside', async () => {
    const { bus, entries } = keptBus();
    const [event] = events;
    await publishEvents(events.slice(0, 1), { bus });
    const { type, ...rest } = event as RunEvent;
    expect(entries()).toEqual([{ source: 'ebbtide', detailType: type, detail: rest }]);
  });

  it('gives back what was not taken, and goes on after it', async () => {
    const { bus } = keptBus((entry) => seqOf(entry) % 9 !== 0);
    const left = await publishEvents(events, { bus });
    expect(left).toEqual(events.filter(({ seq }) => seq === 9 || seq === 18));
  });

  it('gives back what the bus says nothing of', async () => {
    const bus: Bus = { put: async () => [true] };
    expect(await publishEvents(events.slice(0, 3), { bus })).toEqual(events.slice(1, 3));
  });

  it('calls nobody when there is nothing to say', async () => {
    const { bus, calls } = keptBus();
    expect([await publishEvents([], { bus }), calls]).toEqual([[], []]);
  });
});

const look = (overrides: Partial<Look> = {}): Look => ({
  ...{ runId: 'r1', status: 'running', lookAt: later(60), jobs: [], everySeconds: 300 },
  ...overrides,
});

describe('a look of the stream', () => {
  const scheduled = async (lookAt: string) => {
    const sent: [ProbeMessage, number][] = [];
    const delays = {
      send: async (message: ProbeMessage, seconds: number) => void sent.push([message, seconds]),
    };
    await scheduleProbe(look({ lookAt }), { clock: world().clock, delays });
    return sent;
  };

  it.each([
    [60, 60],
    [0.2, 1],
    [-5, 0],
    [900, 900],
  ])('%d seconds ahead becomes a message of %i seconds', async (seconds, delay) => {
    const lookAt = later(seconds);
    expect(await scheduled(lookAt)).toEqual([[{ runId: 'r1', status: 'running', lookAt }, delay]]);
  });

  it('beyond 15 minutes is left to the sweep', async () => {
    expect(await scheduled(later(901))).toEqual([]);
  });
});

describe('a message that comes back', () => {
  const message: ProbeMessage = { runId: 'r1', status: 'running', lookAt: later(60) };
  const sent = async (now: Look | undefined) => {
    const { bus, entries } = keptBus();
    const isSent = await sendProbe(message, { runs: { look: async () => now }, bus });
    return [isSent, entries()];
  };

  it('becomes a probe while its look is the run’s look', async () => {
    const probe = { runId: 'r1', status: 'running' };
    expect(await sent(look())).toEqual([
      true,
      [{ source: 'ebbtide', detailType: 'ProbeDue', detail: probe }],
    ]);
  });

  it.each([
    ['was moved', look({ lookAt: later(61) })],
    ['is of another status', look({ status: 'releasing' })],
    ['is gone', undefined],
  ])('is dropped when the look %s', async (_what, now) => {
    expect(await sent(now)).toEqual([false, []]);
  });

  it('comes back again when the bus does not take its probe', async () => {
    const { bus } = keptBus(() => false);
    await expect(sendProbe(message, { runs: { look: async () => look() }, bus })).rejects.toThrow(
      'the bus did not take the probe of r1',
    );
  });
});

const ids = Array.from({ length: 23 }, (_, index) => `run-${index}`);
const pass = async ({ clock }: World, ms: number) => {
  clock.at(clock.now() + ms, () => {});
  await clock.step();
};
const store = async (runs: MemoryRuns, entry: Look) => {
  const found = { ...runIn(entry.status), id: entry.runId };
  await runs.commit({ before: 0, run: found, events: [], look: entry, storageIds: [] });
};
/** A sweep's world: what Batch, EC2 and FSx show, and the bus. */
function swept(
  seen: {
    readonly jobs?: readonly SeenJob[];
    readonly volumes?: readonly Volume[];
    readonly fileSystems?: readonly SeenFileSystem[];
  } = {},
) {
  const here = world();
  const kept = keptBus();
  const ports = {
    ...here.ports,
    bus: kept.bus,
    jobs: { ...here.ports.jobs, describe: async () => seen.jobs ?? [] },
    volumes: { ...here.ports.volumes, describe: async () => seen.volumes ?? [] },
    fileSystems: { ...here.ports.fileSystems, describe: async () => seen.fileSystems ?? [] },
  };
  return { ...here, ...kept, swept: ports };
}
/** Which runs are probed, tick by tick. */
async function ticks(
  here: World & Pick<ReturnType<typeof swept>, 'swept'>,
  minutes: number,
): Promise<string[]> {
  const probed: string[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const { probed: looks } = await sweep(here.swept);
    probed.push(...looks.map(({ runId }) => runId));
    await pass(here, 60_000);
  }
  return probed;
}
const far = later(3600 * 24);
const believed = { jobId: 'job-1', status: 'RUNNING', attempt: 1 } as const;

describe('the sweep', () => {
  it.each(ACTIVE_STATUSES)(
    'probes a run that is %s when its look is a minute overdue',
    async (status) => {
      const here = swept();
      await store(here.runs, look({ status, lookAt: later(-60), storageId: undefined }));
      await sweep(here.swept);
      expect(here.entries()).toEqual([
        { source: 'ebbtide', detailType: 'ProbeDue', detail: { runId: 'r1', status } },
      ]);
    },
  );

  it('probes nothing that is 59 seconds overdue: its message is on its way', async () => {
    const here = swept();
    await store(here.runs, look({ status: 'releasing', lookAt: later(-59) }));
    await sweep(here.swept);
    expect(here.entries()).toEqual([]);
  });

  it.each([
    [60, 1],
    [300, 5],
    [900, 15],
    [1, 1],
  ])('has one turn per running run in %i seconds', async (everySeconds, minutes) => {
    const here = swept();
    for (const runId of ids) await store(here.runs, look({ runId, lookAt: far, everySeconds }));
    expect((await ticks(here, minutes)).sort()).toEqual([...ids].sort());
  });

  it('spreads the turns over the minutes', async () => {
    const here = swept();
    for (const runId of ids) await store(here.runs, look({ runId, lookAt: far }));
    expect(new Set(ids.map((id) => hash(id) % 5)).size).toBeGreaterThan(1);
    expect((await sweep(here.swept)).probed.length).toBeLessThan(ids.length);
  });

  it.each([
    ['is where the table believes it', seenJob(), []],
    ['is behind what the table believes', seenJob({ status: 'STARTING' }), []],
    ['has ended', seenJob({ status: 'SUCCEEDED', attempts: [{ started: true }] }), ['r1']],
    ['is in its next attempt', seenJob({ attempts: [{ started: true }] }), ['r1']],
    ['is not known to Batch', seenJob({ jobId: 'job-2' }), ['r1']],
  ])('asks about a run whose job %s', async (_what, seen, probed) => {
    const here = swept({ jobs: [seen] });
    await store(here.runs, look({ lookAt: far, jobs: [believed] }));
    expect(await ticks(here, 5)).toEqual(probed);
  });

  it.each([
    ['in-use', []],
    ['available', []],
    ['error', ['r1']],
    ['deleting', ['r1']],
  ] as const)('finds storage that is %s once in ten minutes', async (state, probed) => {
    const zone = 'us-east-1a';
    const here = swept({ jobs: [seenJob()], volumes: [{ volumeId: VOLUME, zone, state }] });
    await store(here.runs, look({ lookAt: far, jobs: [believed], storageId: VOLUME }));
    expect(await ticks(here, 10)).toEqual(probed);
  });

  it('finds storage that is gone once in ten minutes', async () => {
    const here = swept({ jobs: [seenJob()] });
    await store(here.runs, look({ lookAt: far, jobs: [believed], storageId: VOLUME }));
    expect(await ticks(here, 10)).toEqual(['r1']);
  });

  it('asks once about a run for several reasons', async () => {
    const here = swept();
    await store(here.runs, look({ lookAt: later(-60), everySeconds: 60 }));
    await sweep(here.swept);
    expect(here.entries().length).toBe(1);
  });

  it('sends at most ten probes per call', async () => {
    const here = swept();
    for (const runId of ids) await store(here.runs, look({ runId, lookAt: later(-60) }));
    await sweep(here.swept);
    expect(here.calls.map(({ length }) => length)).toEqual([10, 10, 3]);
  });

  it('is thrown when a probe is not taken', async () => {
    const here = swept();
    await store(here.runs, look({ lookAt: later(-60) }));
    const { bus } = keptBus(() => false);
    await expect(sweep({ ...here.swept, bus })).rejects.toThrow('the bus did not take 1 probes');
  });

  it('changes nothing itself', async () => {
    const here = swept();
    for (const runId of ids) await store(here.runs, look({ runId, lookAt: later(-60) }));
    await given(here.runs, runIn('provisioning'));
    const before = [here.runs.all(), await here.runs.looks('running'), await here.runs.look('r1')];
    await sweep(here.swept);
    expect([here.runs.all(), await here.runs.looks('running'), await here.runs.look('r1')]).toEqual(
      before,
    );
  });
});

describe('the sweep of an array', () => {
  const counts = { RUNNABLE: 5, RUNNING: 10, SUCCEEDED: 5 };
  const array = (now: ArrayCounts) =>
    seenJob({ status: 'PENDING', array: { size: 20, counts: now, failures: [] } });
  const cases: readonly {
    readonly has: string;
    readonly probed: readonly string[];
    readonly now: ArrayCounts;
    readonly before?: ArrayCounts;
  }[] = [
    { has: 'its tasks where they are believed', probed: [], now: counts, before: counts },
    {
      ...{ has: 'more tasks running', probed: [] },
      ...{ now: { RUNNING: 15, SUCCEEDED: 5 }, before: counts },
    },
    {
      ...{ has: 'less than another tenth over', probed: [] },
      ...{ now: { RUNNING: 13, SUCCEEDED: 7 }, before: { SUCCEEDED: 6 } },
    },
    {
      ...{ has: 'another tenth over', probed: ['r1'] },
      ...{ now: { RUNNING: 14, SUCCEEDED: 6 }, before: counts },
    },
    {
      ...{ has: 'another tenth over by failures', probed: ['r1'] },
      ...{ now: { RUNNING: 14, SUCCEEDED: 5, FAILED: 1 }, before: counts },
    },
    {
      ...{ has: 'fewer over than believed', probed: [] },
      ...{ now: { RUNNING: 17, SUCCEEDED: 3 }, before: counts },
    },
    {
      ...{ has: 'its first task begun', probed: ['r1'] },
      ...{ now: { RUNNABLE: 19, RUNNING: 1 }, before: { RUNNABLE: 20 } },
    },
    { has: 'its first task begun, the first that is seen', probed: ['r1'], now: { STARTING: 1 } },
    { has: 'only waiting tasks, the first that is seen', probed: [], now: { RUNNABLE: 20 } },
  ];

  it.each(cases)('asks about a run whose array has $has: $probed', async (each) => {
    const zone = 'us-east-1a';
    const volumes = [{ volumeId: VOLUME, zone, state: 'in-use' }] as const;
    const here = swept({ jobs: [array(each.now)], volumes });
    const main = submittedJob({ status: 'PENDING', arraySize: 20, counts: each.before });
    // The look is what a commit of such a run writes, but due long after this test.
    await given(here.runs, runIn('running', { jobs: { main } }), far);
    expect(await ticks(here, 5)).toEqual(each.probed);
  });
});

describe('the sweep of file systems', () => {
  const kept = (storageId: string, overrides: Partial<Look> = {}) =>
    look({ lookAt: far, jobs: [believed], storageId, ...overrides });

  it.each([
    ['AVAILABLE', []],
    ['UPDATING', []],
    ['MISCONFIGURED', []],
    ['PAUSED', []],
    ['FAILED', ['r1']],
    ['DELETING', ['r1']],
  ])('finds one that is %s once in ten minutes', async (lifecycle, probed) => {
    const here = swept({ jobs: [seenJob()], fileSystems: [seenFileSystem({ lifecycle })] });
    await store(here.runs, kept(FILE_SYSTEM));
    expect(await ticks(here, 10)).toEqual(probed);
  });

  it.each(['running', 'retained'] as const)(
    'finds one that is gone once in ten minutes: %s',
    async (status) => {
      const here = swept({ jobs: [seenJob()] });
      await store(here.runs, kept(FILE_SYSTEM, { status }));
      expect(await ticks(here, 10)).toEqual(['r1']);
    },
  );

  it('asks FSx about file systems alone, and EC2 about volumes alone, in one call each', async () => {
    const here = swept({ jobs: [seenJob()] });
    const asked: (readonly string[])[] = [];
    const noted = async (some: readonly string[]) => {
      asked.push(some);
      return [];
    };
    const { volumes, fileSystems } = here.swept;
    const ports = {
      ...here.swept,
      volumes: { ...volumes, describe: noted },
      fileSystems: { ...fileSystems, describe: noted },
    };
    // Their ids have the same turn: ten names of which the hashes agree in the last digit.
    const sameTurn = Array.from({ length: 200 }, (_, index) => `run-${index}`)
      .filter((id) => hash(id) % 10 === hash('run-0') % 10)
      .slice(0, 4);
    for (const [index, runId] of sameTurn.entries()) {
      await store(here.runs, kept(index % 2 === 0 ? `fs-${index}` : `vol-${index}`, { runId }));
    }
    for (let minute = 0; minute < 10; minute += 1) {
      await sweep(ports);
      await pass(here, 60_000);
    }
    expect(asked.filter(({ length }) => length > 0)).toEqual([
      ['vol-1', 'vol-3'],
      ['fs-0', 'fs-2'],
    ]);
  });
});

describe('a sweep while AWS asks for fewer calls', () => {
  /** The sweep's world with one port that complains, and counts how often it was called. */
  function throttled(
    port: 'jobs' | 'volumes' | 'fileSystems',
    error: Error = new Throttled('slow'),
  ) {
    const here = swept();
    let calls = 0;
    const describe = async () => {
      calls += 1;
      throw error;
    };
    const ports = { ...here.swept, [port]: { ...here.swept[port], describe } };
    return { ...here, swept: ports, calls: () => calls };
  }
  const three = ['jobs', 'volumes', 'fileSystems'] as const;

  it.each(three)('leaves a comparison to a later minute, and goes on: %s', async (port) => {
    const here = throttled(port);
    await store(here.runs, look({ lookAt: later(-60) }));
    expect((await sweep(here.swept)).probed.map(({ runId }) => runId)).toEqual(['r1']);
    expect(await here.ports.brakes.read(port)).toEqual({ level: 1, until: later(5) });
  });

  it.each(three)('makes no call of a port that is held: %s', async (port) => {
    const here = throttled(port);
    await here.ports.brakes.set(port, { level: 3, until: later(30) });
    await sweep(here.swept);
    expect(here.calls()).toBe(0);
    await pass(here, 120_000);
    await sweep(here.swept);
    expect(here.calls()).toBe(1);
  });

  it('still finds what the other ports show', async () => {
    const here = throttled('jobs');
    await store(here.runs, look({ status: 'retained', lookAt: far, storageId: FILE_SYSTEM }));
    expect(await ticks(here, 10)).toEqual(['r1']);
  });

  it.each(three)('first probes what is due, whatever AWS does then: %s', async (port) => {
    const here = throttled(port, new Error('AWS is down'));
    await store(here.runs, look({ status: 'releasing', lookAt: later(-60) }));
    await expect(sweep(here.swept)).rejects.toThrow('AWS is down');
    expect(here.entries().map(({ detail }) => detail)).toEqual([
      { runId: 'r1', status: 'releasing' },
    ]);
  });
});

describe('a sweep of which one comparison fails', () => {
  const three = ['jobs', 'volumes', 'fileSystems'] as const;
  /** Runs that differ, one in each comparison: a job, a volume and a file system that nobody shows. */
  async function different(...broken: readonly (typeof three)[number][]) {
    const here = swept({ jobs: [seenJob()] });
    const storages = { jobs: undefined, volumes: VOLUME, fileSystems: FILE_SYSTEM };
    for (const runId of three) {
      const jobs = [runId === 'jobs' ? { ...believed, jobId: 'job-gone' } : believed];
      const storageId = storages[runId];
      await store(here.runs, look({ runId, lookAt: far, jobs, storageId, everySeconds: 60 }));
    }
    const ports = { ...here.swept };
    for (const port of broken) {
      const describe = async () => {
        throw new Error(`${port} did not answer`);
      };
      Object.assign(ports, { [port]: { ...ports[port], describe } });
    }
    return { ...here, swept: ports };
  }
  /** Whom ten minutes of sweeps probe, whatever they throw, and what they throw. */
  async function tenMinutes(here: Awaited<ReturnType<typeof different>>) {
    const thrown = new Set<string>();
    for (let minute = 0; minute < 10; minute += 1) {
      await sweep(here.swept).catch((error: Error) => thrown.add(error.message));
      await pass(here, 60_000);
    }
    const probed = here.entries().map(({ detail }) => (detail as { runId: string }).runId);
    return { probed: [...new Set(probed)].sort(), thrown: [...thrown] };
  }

  it('finds them all where all answer', async () => {
    expect(await tenMinutes(await different())).toEqual({
      probed: ['fileSystems', 'jobs', 'volumes'],
      thrown: [],
    });
  });

  it.each(three)('probes what the others found, and is thrown then: %s', async (port) => {
    expect(await tenMinutes(await different(port))).toEqual({
      probed: ['fileSystems', 'jobs', 'volumes'].filter((each) => each !== port),
      thrown: [`${port} did not answer`],
    });
  });

  it('is thrown for the first that failed of several', async () => {
    expect(await tenMinutes(await different('jobs', 'fileSystems'))).toEqual({
      probed: ['volumes'],
      thrown: ['jobs did not answer'],
    });
  });
});
