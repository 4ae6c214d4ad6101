import { type Envelope, type RunStatus, type Settings, schedulesOf } from '../../events';
import type { Cloud } from '../../sim/cloud';
import { NO_FAULTS } from '../../sim/faults';
import { localSchedules } from '../../sim/schedules';
import { type Simulated, START, settingsOf, type World } from '../../sim/simulator';
import { endingOf, GOOD_END } from '../support/endings';
import {
  fileSystemOf,
  HOUR_MS,
  MINUTE_MS,
  onceIn,
  type Played,
  play,
  type Way,
  WORK,
} from '../support/plays';

const ONLY_EBS: Way = { way: 'onlyEBS', mode: 'onlyEBS' };
const TASK_EXPORT: Way = { way: 'taskExport', mode: 'taskExport' };

/** A stack with something in a mode's section of cdk.json. */
function deployedWith(mode: Way['mode'], values: object): Settings {
  const layer = { name: 'cdk.json', deploys: true, values: { ...values } };
  return {
    ...settingsOf('taskExport', 'autoExport', 'onlyEBS'),
    layers: { [mode]: [layer] },
  };
}

/** Plays what nobody asked for on the bus. */
function playUnasked(
  prepare: (cloud: Cloud, world: World) => void,
  scenario: Parameters<typeof play>[1] = {},
): Promise<Played> {
  return play(ONLY_EBS, { requests: [], restsAfterMs: 10 * MINUTE_MS, ...scenario, prepare });
}

/** Delivers everything of a source once more, so much later. */
function deliverTwice(bus: Cloud['bus'], { clock }: World, source: string): void {
  const again = new Set<string>();
  const deliver = (envelope: Envelope) => {
    if (again.has(envelope.id)) return;
    again.add(envelope.id);
    clock.at(clock.now() + 5 * MINUTE_MS, () => bus.send(envelope));
  };
  bus.addRule({ name: 'again', pattern: { source: [source] }, deliver });
}

/** What lies beside an upload. */
function answerBeside(key: string, { buckets }: Simulated): unknown {
  return JSON.parse(buckets.get('intake', `${key}.answer.json`) ?? 'null');
}

describe('an upload of requests/x.json', () => {
  const upload =
    (body: string) =>
    (_cloud: Cloud, { intake }: World) =>
      intake.put('intake', 'requests/x.json', body);

  it('becomes a run, with its answer beside it', async () => {
    const played = await playUnasked(upload('{ "runId": "r1", "mode": "onlyEBS" }'));
    expect(await endingOf(played)).toEqual(GOOD_END);
    expect(answerBeside('requests/x.json', played)).toMatchObject({
      runId: 'r1',
      status: 'succeeded',
      results: 's3://results/runs/r1/',
    });
  });

  it('is one run when S3 tells of it twice', async () => {
    const played = await playUnasked((cloud, world) => {
      deliverTwice(cloud.nativeBus, world, 'aws.s3');
      world.intake.put('intake', 'requests/x.json', '{ "mode": "onlyEBS" }');
    });
    expect(played.cloud.runs.all()).toMatchObject([{ status: 'succeeded' }]);
    expect(played.made.size).toBe(1);
  });

  it('starts nothing else: its answer is an upload that nobody answers', async () => {
    const played = await playUnasked(upload('{ "runId": "r1", "mode": "onlyEBS" }'));
    expect(played.cloud.runs.all()).toHaveLength(1);
    expect(played.buckets.list('intake', '')).toEqual([
      'requests/x.json',
      'requests/x.json.answer.json',
    ]);
  });

  it.each([
    ['is not JSON', '{ "runId": ', 'is not JSON'],
    ['is no object', '[1, 2]', 'must be a JSON object'],
    ['asks for what there is not', '{ "mode": "onlyEBS", "parameters": { "ebsSize": 5 } }', 'ebs'],
  ])('that %s is answered with the reason', async (_what, body, reason) => {
    const played = await playUnasked(upload(body));
    expect(played.cloud.runs.all()).toMatchObject([{ status: 'rejected' }]);
    expect(answerBeside('requests/x.json', played)).toMatchObject({
      status: 'rejected',
      reason: expect.stringContaining(reason),
    });
    expect(played.made.size).toBe(0);
  });

  it('is answered when its run is retained', async () => {
    const played = await playUnasked(upload('{ "mode": "onlyEBS" }'), {
      workload: { ...WORK, exitCode: 3 },
    });
    expect(answerBeside('requests/x.json', played)).toMatchObject({
      status: 'retained',
      reason: 'job main failed with exit code 3',
    });
  });
});

describe('an upload below a prefix of cdk.json', () => {
  const settings = deployedWith('taskExport', { uploads: [{ prefix: 'data/', suffix: '.csv' }] });

  it('starts a run that finds its folder as input', async () => {
    let world: World | undefined;
    let found: readonly string[] = [];
    const played = await playUnasked(
      (_cloud, here) => {
        world = here;
        here.buckets.put('intake', 'data/set-1/notes.txt', 'first');
        here.intake.put('intake', 'data/set-1/a.csv', '1,2');
      },
      {
        settings,
        workload(task) {
          found = world?.trees.list(fileSystemOf(task), '/input') ?? [];
          return WORK;
        },
      },
    );
    const [run] = played.cloud.runs.all();
    expect(run?.parameters.inputRepositoryPath).toBe('s3://intake/data/set-1/');
    expect(found).toEqual(expect.arrayContaining(['/input/a.csv', '/input/notes.txt']));
    expect((await endingOf(played, run?.id)).status).toBe('succeeded');
    expect(answerBeside('data/set-1/a.csv', played)).toMatchObject({ status: 'succeeded' });
  });

  it('starts nothing where its name ends otherwise', async () => {
    const put = (_cloud: Cloud, { intake }: World) =>
      intake.put('intake', 'data/set-1/a.txt', '1,2');
    const { cloud } = await playUnasked(put, { settings });
    expect(cloud.runs.all()).toEqual([]);
  });

  it('starts one run for each upload of the same key', async () => {
    const { cloud } = await playUnasked(
      (_cloud, { intake, clock }) => {
        intake.put('intake', 'data/a.csv', '1');
        clock.at(clock.now() + MINUTE_MS, () => intake.put('intake', 'data/a.csv', '2'));
      },
      { settings },
    );
    expect(cloud.runs.all().map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  });
});

describe('a schedule', () => {
  const settings = deployedWith('onlyEBS', {
    schedules: [{ name: 'nightly', expression: 'rate(2 hours)' }],
  });

  function playScheduled(more: (cloud: Cloud, world: World) => void = () => {}) {
    return playUnasked(
      (cloud, world) => {
        const { clock } = world;
        more(cloud, world);
        const end = localSchedules({ schedules: schedulesOf(settings), clock, bus: cloud.bus });
        clock.at(clock.now() + 7 * HOUR_MS, end);
      },
      { settings, restsAfterMs: 8 * HOUR_MS },
    );
  }

  it('starts a run at each of its times', async () => {
    const { cloud } = await playScheduled();
    expect(cloud.runs.all()).toMatchObject(
      [2, 4, 6].map((hours) => ({
        status: 'succeeded',
        cause: {
          schedule: { name: 'nightly', time: new Date(START + hours * HOUR_MS).toISOString() },
        },
      })),
    );
  });

  it('starts one run at a time that is delivered twice', async () => {
    const { cloud } = await playScheduled((here, world) =>
      deliverTwice(here.bus, world, 'ebbtide.schedule'),
    );
    expect(cloud.runs.all()).toHaveLength(3);
  });

  it('starts one run at a time that came as two events', async () => {
    const { cloud } = await playScheduled(({ bus }) => {
      const again = new Set<unknown>();
      const deliver = ({ source, 'detail-type': detailType, detail }: Envelope) => {
        const text = JSON.stringify(detail);
        if (again.has(text)) return;
        again.add(text);
        void bus.put([{ source, detailType, detail }]);
      };
      bus.addRule({ name: 'again', pattern: { source: ['ebbtide.schedule'] }, deliver });
    });
    expect(cloud.runs.all()).toHaveLength(3);
  });
});

const ASKS = ['RunCancelRequested', 'RunResumeRequested', 'RunReleaseRequested'] as const;
type Ask = (typeof ASKS)[number];

/** A request as one event, whose id is this digit over and over; and what its answer carries. */
function asked(ask: Ask, digit: number): { readonly envelope: Envelope; readonly answer: string } {
  const hex = `${digit}`.repeat(32);
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const envelope: Envelope = {
    ...{ id, source: 'a.person', 'detail-type': ask },
    time: new Date(START).toISOString(),
    detail: { runId: 'r1', discard: true },
  };
  return { envelope, answer: `run-${hex}` };
}

/** How often the journal answers each of these requests. */
async function answersTo(answers: readonly string[], { cloud }: Simulated): Promise<number[]> {
  const journal = await cloud.runs.journal('r1');
  return answers.map(
    (answer) =>
      journal.filter(({ data }) => (data as { requestId?: string }).requestId === answer).length,
  );
}

async function expectWholeJournal({ cloud }: Simulated): Promise<void> {
  const seqs = (await cloud.runs.journal('r1')).map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
}

const QUOTA = { name: 'ServiceLimitExceeded', message: 'The limit of scratch storage is exceeded' };

/** A status, so long after a run has first come into it. */
const MOMENTS: readonly { readonly status: RunStatus; readonly afterMs: number }[] = [
  { status: 'queued', afterMs: 10_000 },
  { status: 'provisioning', afterMs: 0 },
  { status: 'ready', afterMs: 0 },
  { status: 'running', afterMs: 0 },
  { status: 'running', afterMs: 30 * MINUTE_MS },
  { status: 'exporting', afterMs: 0 },
  { status: 'releasing', afterMs: 0 },
  { status: 'retained', afterMs: 0 },
  { status: 'retained', afterMs: HOUR_MS },
  { status: 'succeeded', afterMs: 0 },
];

describe.each(ASKS)('%s', (ask) => {
  const [one, other] = [asked(ask, 1), asked(ask, 2)];

  it.each(MOMENTS)(
    'is answered once for each time it is asked when the run is $status ($afterMs ms)',
    async ({ status, afterMs }) => {
      let refusals = status === 'queued' ? 2 : 0;
      const played = await play(TASK_EXPORT, {
        restsAfterMs: 5 * HOUR_MS,
        workload: status === 'retained' ? { ...WORK, exitCode: 3 } : WORK,
        fsx: {
          refuse(operation) {
            if (operation !== 'createFileSystem' || refusals === 0) return undefined;
            refusals -= 1;
            return QUOTA;
          },
        },
        prepare(cloud, world) {
          onceIn(status, { cloud, world, afterMs }, () => {
            cloud.bus.send(one.envelope);
            cloud.bus.send(one.envelope);
            cloud.bus.send(other.envelope);
            world.clock.at(world.clock.now() + MINUTE_MS, () => cloud.bus.send(one.envelope));
          });
        },
      });
      expect(await answersTo([one.answer, other.answer], played)).toEqual([1, 1]);
      expect(await endingOf(played)).toMatchObject({ late: [], dead: [] });
      await expectWholeJournal(played);
    },
  );
});

/** Around the moment in which a request meets the last event of its run: it travels for 150 ms. */
const OFFSETS = [-3000, -600, -300, -152, -151, -150, -149, -148, 0, 300];

describe.each(ASKS)('%s that races the end of its run', (ask) => {
  const { envelope, answer } = asked(ask, 3);

  it.each([
    { end: 'succeeded', exitCode: 0, callMs: 0 },
    { end: 'succeeded', exitCode: 0, callMs: 2000 },
    { end: 'retained', exitCode: 3, callMs: 0 },
    { end: 'retained', exitCode: 3, callMs: 2000 },
  ])('is answered by one event ($end, calls of $callMs ms)', async ({ exitCode, callMs }) => {
    const scenario = { workload: { ...WORK, exitCode }, faults: { ...NO_FAULTS, callMs } };
    const before = await play(ONLY_EBS, scenario);
    const last = (await before.cloud.runs.journal('r1')).at(-1);
    const endedAt = Date.parse(last?.time ?? '');
    for (const offset of OFFSETS) {
      const played = await play(ONLY_EBS, {
        ...scenario,
        restsAfterMs: 3 * HOUR_MS,
        prepare(cloud, { clock }) {
          clock.at(endedAt + offset, () => cloud.bus.send(envelope));
        },
      });
      expect([offset, await answersTo([answer], played)]).toEqual([offset, [1]]);
      expect(await endingOf(played)).toMatchObject({ late: [], dead: [] });
      await expectWholeJournal(played);
    }
  });
});
