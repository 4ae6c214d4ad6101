import { RUN_EVENTS } from '../../events';
import { type PortName, Throttled } from '../../handlers';
import { NO_FAULTS } from '../../sim/faults';
import { type Simulated, START } from '../../sim/simulator';
import { endingOf, GOOD_END, typesOf } from '../support/endings';
import {
  INTERRUPTIONS,
  LUSTRE_WAYS,
  MINUTE_MS,
  PROVEN_WAYS,
  play,
  type Way,
} from '../support/plays';
import { playWrapped } from '../support/wrapped-cloud';

const WAYS: readonly Way[] = [...LUSTRE_WAYS, { way: 'onlyEBS', mode: 'onlyEBS' }];

describe.each(WAYS)('a run of $way ends well', (way) => {
  it('by the sweep alone: every event of AWS, every own one and every delayed look lost', async () => {
    const faults = { ...NO_FAULTS, dropNative: 1, dropOwn: 1, losesDelays: true };
    const played = await play(way, { faults, interruptions: INTERRUPTIONS });
    expect(await endingOf(played)).toEqual(GOOD_END);
  });

  it('by looks: every event lost, and nine sweeps of ten missed', async () => {
    const faults = { ...NO_FAULTS, dropNative: 1, dropOwn: 1, missSweep: 0.9 };
    const played = await play(way, { faults, interruptions: INTERRUPTIONS });
    expect(await endingOf(played)).toEqual({ ...GOOD_END, late: expect.anything() });
  });

  it('by its events: nine looks of ten lost', async () => {
    const faults = { ...NO_FAULTS, dropProbes: 0.9 };
    const played = await play(way, { faults, interruptions: INTERRUPTIONS });
    expect(await endingOf(played)).toEqual({ ...GOOD_END, late: expect.anything() });
  });
});

describe.each(PROVEN_WAYS)('a run of $way ends well', (way) => {
  it.each(Object.keys(RUN_EVENTS).filter(isOfGoodRun))(
    'with every %s, every event of AWS and every delayed look lost',
    async (loseType) => {
      const faults = { ...NO_FAULTS, dropNative: 1, losesDelays: true, loseType };
      expect(await endingOf(await play(way, { faults }))).toEqual(GOOD_END);
    },
  );

  it('without an event that the table above leaves out', async () => {
    const types = await typesOf(await play(way));
    expect(types.filter((type) => !isOfGoodRun(type))).toEqual([]);
  });
});

/** Those that stand in the journal of a run on a file system that does what was asked. */
function isOfGoodRun(type: string): boolean {
  return /^(RunAccepted|StorageRe(quested|leased)|FileSystem|Repository(Linked)|Job(Requested|Submitted)|BatchJob|Export(Requested|Queue|Task)|AutoExport|ReleaseStarted|RunSucceeded)/.test(
    type,
  );
}

/** How many runs wait together. */
const RUNS = 10;

/** Every call of a port is turned away for so long. */
async function playThrottled({ mode, port, fromMinute }: Omit<ThrottledRow, 'when'>, minutes = 60) {
  const from = START + fromMinute * MINUTE_MS;
  let calls = 0;
  const played = await playWrapped({
    requests: Array.from({ length: RUNS }, (_, index) => ({
      runId: `r${index}`,
      mode,
    })),
    wrap: (ports, { clock }) => ({
      ...ports,
      [port]: turnedAway(ports[port], () => {
        const isThrottled = clock.now() >= from && clock.now() < from + minutes * MINUTE_MS;
        if (isThrottled) calls += 1;
        return isThrottled;
      }),
    }),
  });
  return { played, calls };
}

/** A port that AWS turns away at times. */
function turnedAway<Port extends object>(port: Port, isThrottled: () => boolean): Port {
  return new Proxy(port, {
    get(target, name, receiver) {
      const member = Reflect.get(target, name, receiver);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        if (isThrottled()) throw new Throttled('Rate exceeded');
        return member.apply(target, args);
      };
    },
  });
}

interface ThrottledRow {
  readonly mode: Way['mode'];
  readonly port: PortName;
  readonly when: string;
  readonly fromMinute: number;
}

const IN_TIME: readonly ThrottledRow[] = [
  { mode: 'onlyEBS', port: 'volumes', when: 'volumes are given back', fromMinute: 58 },
  { mode: 'onlyEBS', port: 'jobs', when: 'jobs run', fromMinute: 5 },
  { mode: 'taskExport', port: 'fileSystems', when: 'jobs run', fromMinute: 30 },
  { mode: 'taskExport', port: 'fileSystems', when: 'results are exported', fromMinute: 76 },
  { mode: 'autoExport', port: 'metrics', when: 'results are exported', fromMinute: 76 },
];

/** A creation may take an hour, and a submission half of one: an hour without either is too long. */
const TOO_LONG: readonly (ThrottledRow & { readonly end: string; readonly left: number })[] = [
  {
    mode: 'onlyEBS',
    port: 'volumes',
    when: 'volumes are made',
    fromMinute: 0,
    end: 'failed',
    left: 0,
  },
  {
    mode: 'taskExport',
    port: 'fileSystems',
    when: 'file systems are made',
    fromMinute: 0,
    end: 'failed',
    left: 0,
  },
  // Batch may have what was never answered, so nothing goes.
  {
    mode: 'onlyEBS',
    port: 'jobs',
    when: 'jobs are submitted',
    fromMinute: 0,
    end: 'retained',
    left: RUNS,
  },
];

/** The pause grows to five minutes, and one call after each says whether it may end. */
const CALLS_MAX = 20;

describe(`${RUNS} runs, while AWS asks for fewer calls for an hour,`, () => {
  it.each(IN_TIME)(
    'wait together when it is $port of $mode, as $when, and end well',
    async (row) => {
      const { played, calls } = await playThrottled(row);
      expect(statusesOf(played)).toEqual(['succeeded']);
      expect(played.late).toEqual([]);
      expect(played.cloud.deadLetters.read()).toEqual([]);
      expect(calls).toBeGreaterThan(0);
      expect(calls).toBeLessThan(CALLS_MAX);
    },
  );

  it.each(TOO_LONG)('end at their deadlines when it is $port of $mode, as $when', async (row) => {
    const { played, calls } = await playThrottled(row);
    expect(statusesOf(played)).toEqual([row.end]);
    expect((await endingOf(played, 'r0')).says).toContain('for longer than it may be');
    expect([...played.cloud.volumes.all(), ...played.cloud.fsx.all()]).toHaveLength(row.left);
    expect(played.late).toEqual([]);
    expect(calls).toBeLessThan(CALLS_MAX);
  });

  it.each([
    ['volumes', 50],
    ['jobs', 20],
  ] as const)('end well when %s are asked for again in time, after %i minutes', async (...row) => {
    const [port, minutes] = row;
    const { played } = await playThrottled({ mode: 'onlyEBS', port, fromMinute: 0 }, minutes);
    expect(statusesOf(played)).toEqual(['succeeded']);
  });
});

function statusesOf({ cloud }: Simulated): readonly string[] {
  return [...new Set(cloud.runs.all().map(({ status }) => status))];
}
