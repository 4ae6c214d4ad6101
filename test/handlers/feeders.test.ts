import { ACTIVE_STATUSES, hash, type RunEvent } from '../../events';
import type { Bus, BusEntry, Look, ProbeMessage, SeenJob, Volume } from '../../handlers';
import { publishEvents } from '../../handlers/feeders/publish-events';
import { scheduleProbe, sendProbe } from '../../handlers/feeders/send-probes';
import { sweep } from '../../handlers/feeders/sweep';
import type { MemoryRuns } from '../../sim/run-store';
import { later } from '../support/builders';
import { given, runIn, seenJob, VOLUME, type World, world } from './world';

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
/** A sweep's world: what Batch and EC2 show, and the bus. */
function swept(seen: { jobs?: readonly SeenJob[]; volumes?: readonly Volume[] } = {}) {
  const here = world();
  const kept = keptBus();
  const ports = {
    ...here.ports,
    bus: kept.bus,
    jobs: { ...here.ports.jobs, describe: async () => seen.jobs ?? [] },
    volumes: { ...here.ports.volumes, describe: async () => seen.volumes ?? [] },
  };
  return { ...here, ...kept, swept: ports };
}
/** Which runs are probed, tick by tick. */
async function ticks(here: ReturnType<typeof swept>, minutes: number): Promise<string[]> {
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
