import type { Cloud } from '../../sim/cloud';
import type { Task } from '../../sim/hosts';
import type { Simulated, World } from '../../sim/simulator';
import { BAD_END, endingOf, GOOD_END, RESULT, typesOf } from '../support/endings';
import {
  atOnceMax,
  HOUR_MS,
  MINUTE_MS,
  onceIn,
  PROVEN_WAYS,
  play,
  type Way,
  WORK,
} from '../support/plays';

const ONLY_EBS: Way = { way: 'onlyEBS', mode: 'onlyEBS' };
const TASKS = 20;
/** Preparation, many tasks, and one job that brings their results together. */
const AGGREGATE = [
  { name: 'prep' },
  { name: 'tasks', arraySize: TASKS, dependsOn: ['prep'] },
  { name: 'reduce', dependsOn: ['tasks'] },
];

/** What the tasks of an array leave, by name. */
function resultsOf(size: number): { readonly [name: string]: string } {
  return Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`task-${index}/result`, RESULT]),
  );
}

type Fact = Simulated['facts'][number];

function nameOf({ task: { wanted, index } }: Fact): string {
  return index === undefined ? wanted.spec.name : `${wanted.spec.name}:${index}`;
}

/** When each container was last there, by the name of its job or task. */
function spansOf({ facts }: Simulated): Map<string, { started: number; ended: number }> {
  const spans = new Map<string, { started: number; ended: number }>();
  for (const fact of facts) {
    const name = nameOf(fact);
    const before = spans.get(name) ?? { started: fact.at, ended: 0 };
    if (fact.kind === 'started') spans.set(name, { ...before, started: fact.at });
    if (fact.kind === 'ended') spans.set(name, { ...before, ended: fact.at });
  }
  return spans;
}

function startsOf({ facts }: Simulated): number {
  return facts.filter(({ kind }) => kind === 'started').length;
}

/** Work that Spot ends ten minutes after each start that is chosen. */
function interrupting(isChosen: (task: Task) => boolean) {
  let place: { cloud: Cloud; world: World } | undefined;
  return {
    prepare(cloud: Cloud, world: World) {
      place = { cloud, world };
    },
    workload(task: Task) {
      const { cloud, world } = place ?? {};
      if (isChosen(task)) {
        world?.clock.at(world.clock.now() + 10 * MINUTE_MS, () => {
          cloud?.batch.interrupt(task.jobId, 0);
        });
      }
      return WORK;
    },
  };
}

describe.each(PROVEN_WAYS)('an array of $way', (way) => {
  it('runs after its preparation, and is over before what brings it together', async () => {
    const played = await play(way, { jobs: AGGREGATE });
    const s3 = { result: RESULT, ...resultsOf(TASKS) };
    expect(await endingOf(played)).toEqual({ ...GOOD_END, s3 });
    const spans = spansOf(played);
    const tasks = [...spans].filter(([name]) => name.startsWith('tasks:')).map(([, span]) => span);
    expect(tasks).toHaveLength(TASKS);
    const begun = Math.min(...tasks.map(({ started }) => started));
    const over = Math.max(...tasks.map(({ ended }) => ended));
    expect(spans.get('prep')?.ended).toBeLessThan(begun);
    expect(spans.get('reduce')?.started).toBeGreaterThan(over);
  });

  it('runs its tasks one after the other where it is SEQUENTIAL', async () => {
    const jobs = [{ name: 'tasks', arraySize: 5, dependsOn: [{ type: 'SEQUENTIAL' }] }];
    const played = await play(way, { jobs });
    expect(await endingOf(played)).toEqual({ ...GOOD_END, s3: resultsOf(5) });
    expect(atOnceMax(played)).toBe(1);
    const order = played.facts.filter(({ kind }) => kind === 'started').map(nameOf);
    expect(order).toEqual([0, 1, 2, 3, 4].map((index) => `tasks:${index}`));
  });

  it('begins each task after its partner of another array where that is N_TO_N', async () => {
    const jobs = [
      { name: 'left', arraySize: 6 },
      { name: 'right', arraySize: 6, dependsOn: [{ job: 'left', type: 'N_TO_N' }] },
    ];
    // One task of the first array takes much longer: its partner alone must wait for it.
    const played = await play(way, {
      jobs,
      workload: ({ wanted, index }) =>
        wanted.spec.name === 'left' && index === 2 ? { ...WORK, workMs: 3 * HOUR_MS } : WORK,
    });
    expect((await endingOf(played)).status).toBe('succeeded');
    const spans = spansOf(played);
    for (const index of [0, 1, 2, 3, 4, 5]) {
      const { ended = Number.NaN } = spans.get(`left:${index}`) ?? {};
      expect(spans.get(`right:${index}`)?.started).toBeGreaterThan(ended);
    }
    const slow = spans.get('left:2')?.ended ?? 0;
    expect(spans.get('right:3')?.ended).toBeLessThan(slow);
  });

  it('goes on after three of its tasks were interrupted', async () => {
    const isChosen = ({ index, batchAttempt }: Task) =>
      [2, 7, 11].includes(index ?? -1) && batchAttempt === 1;
    const jobs = [{ name: 'tasks', arraySize: TASKS }];
    const played = await play(way, { jobs, ...interrupting(isChosen) });
    expect(await endingOf(played)).toEqual({ ...GOOD_END, s3: resultsOf(TASKS) });
    expect(startsOf(played)).toBe(TASKS + 3);
    expect(played.cloud.batch.all()).toHaveLength(1);
  });

  it('is submitted again when Batch has given up on a task that was interrupted', async () => {
    const isChosen = ({ index, wanted }: Task) => index === 3 && wanted.submission === 1;
    const jobs = [{ name: 'tasks', arraySize: TASKS, attempts: 2 }];
    const played = await play(way, { jobs, ...interrupting(isChosen) });
    expect(await endingOf(played)).toEqual({ ...GOOD_END, s3: resultsOf(TASKS) });
    expect(played.cloud.batch.all().map(({ jobName }) => jobName)).toEqual([
      'ebbtide-r1_tasks_1',
      'ebbtide-r1_tasks_2',
    ]);
  });

  it('names the task that failed, and what follows it does not run', async () => {
    const played = await play(way, {
      jobs: AGGREGATE,
      workload: ({ index }) => (index === 7 ? { ...WORK, exitCode: 3 } : WORK),
    });
    const { status, says, storage, late, dead } = await endingOf(played);
    expect({ status, says, storage, late, dead }).toEqual({
      status: 'retained',
      says: 'job tasks failed: 1 of 20 tasks, the first (task 7) with exit code 3',
      storage: 'there',
      late: [],
      dead: [],
    });
    expect(spansOf(played).has('reduce')).toBe(false);
    const retained = (await played.cloud.runs.journal('r1')).at(-1);
    const [, tasks] = played.cloud.batch.all();
    const logStream = `${tasks?.jobId}:7/1`;
    expect(retained).toMatchObject({ type: 'StorageRetained', data: { exitCode: 3, logStream } });
  });

  it('runs as many tasks at once as there is room for', async () => {
    const jobs = [{ name: 'tasks', arraySize: TASKS, vcpus: 8 }];
    const played = await play(way, { jobs, maxVcpus: 24 });
    expect(await endingOf(played)).toEqual({ ...GOOD_END, s3: resultsOf(TASKS) });
    expect(atOnceMax(played)).toBe(3);
  });

  it('has no task that goes on after its run was cancelled', async () => {
    const played = await play(way, {
      jobs: AGGREGATE,
      prepare(cloud, world) {
        onceIn('running', { cloud, world, afterMs: 90 * MINUTE_MS }, () =>
          cloud.request({ runId: 'r1', reason: 'a mistake' }, 'RunCancelRequested'),
        );
      },
    });
    const retained = { ...BAD_END, status: 'retained', storage: 'there', says: 'a mistake' };
    const { s3 } = await endingOf(played);
    expect(await endingOf(played)).toEqual({ ...retained, s3 });
    const [, tasks] = played.cloud.batch.all();
    const living = played.cloud.batch
      .children(tasks?.jobId ?? '')
      .filter(({ status }) => status !== 'SUCCEEDED' && status !== 'FAILED');
    expect(living).toEqual([]);
  });

  it('of a thousand tasks leaves a short journal and a small run', async () => {
    const played = await play(way, {
      wants: { waitForJobCompletionSeconds: 60 },
      // A hundred at once: the sweep sees other counts every minute for two hours.
      jobs: [{ name: 'tasks', arraySize: 1000, vcpus: 8 }],
      maxVcpus: 800,
      workload: ({ index = 0 }) => {
        const workMs = 5 * MINUTE_MS + (index % 50) * 12_000;
        return { workMs, checkpointMs: workMs };
      },
    });
    const [run] = played.cloud.runs.all();
    expect(run?.status).toBe('succeeded');
    expect(run?.jobs.tasks?.counts).toMatchObject({ SUCCEEDED: 1000 });
    expect((await typesOf(played)).length).toBeLessThan(40);
    expect(JSON.stringify(run).length).toBeLessThan(8000);
  });
});

describe('the command of a job', () => {
  it.each([...PROVEN_WAYS, ONLY_EBS])('has its parameters in place in $way', async (way) => {
    const jobs = [
      { name: 'main', command: ['run', '--size=Ref::size', 'Ref::name'], parameters: PARAMETERS },
    ];
    const commands: (readonly string[] | undefined)[] = [];
    const played = await play(way, {
      jobs,
      workload({ wanted }) {
        commands.push(wanted.spec.command);
        return WORK;
      },
    });
    expect(await endingOf(played)).toEqual(GOOD_END);
    expect(commands).toEqual([['run', '--size=5', 'Ref::size']]);
  });
});

/** What a parameter holds is not looked at again. */
const PARAMETERS = { size: '5', name: 'Ref::size' };

describe('jobs of onlyEBS', () => {
  const CHAIN = [
    { name: 'first' },
    { name: 'second', dependsOn: ['first'] },
    { name: 'third', dependsOn: ['second'] },
  ];

  it('run one after the other on one volume, through interruptions', async () => {
    const isChosen = ({ wanted, batchAttempt }: Task) =>
      wanted.spec.name !== 'first' && batchAttempt === 1;
    const played = await play(ONLY_EBS, { jobs: CHAIN, ...interrupting(isChosen) });
    expect(await endingOf(played)).toEqual(GOOD_END);
    expect(atOnceMax(played)).toBe(1);
    expect(startsOf(played)).toBe(5);
    expect(played.made.size).toBe(1);
  });

  it('may be an array whose tasks run one after the other', async () => {
    const jobs = [{ name: 'tasks', arraySize: 4, dependsOn: [{ type: 'SEQUENTIAL' }] }];
    const played = await play(ONLY_EBS, { jobs });
    expect(await endingOf(played)).toEqual({ ...GOOD_END, s3: resultsOf(4) });
    expect(atOnceMax(played)).toBe(1);
  });

  it.each([
    ['an array', [{ name: 'main', arraySize: 2 }]],
    ['two jobs side by side', [{ name: 'left' }, { name: 'right' }]],
  ])('are refused where they are %s', async (_what, jobs) => {
    const played = await play(ONLY_EBS, { jobs });
    const { status, says } = await endingOf(played);
    expect(status).toBe('rejected');
    expect(says).toContain('a gp3 volume fits one host at a time');
    expect(played.made.size).toBe(0);
  });
});
