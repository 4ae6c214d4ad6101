import { RUN_EVENTS } from '../../events';
import { drawFaults, type Faults, NO_FAULTS } from '../../sim/faults';
import { seededRandom } from '../../sim/random';
import { type Scenario, type Simulated, simulate } from '../../sim/simulator';
import { resultOf } from '../../sim/workload';
import { atOnceMax, HOUR_MS, INTERRUPTIONS } from '../support/plays';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

function play(scenario: Partial<Scenario> & { faults?: Faults }): Promise<Simulated> {
  return simulate({
    seed: 1,
    requests: [{ runId: 'r1' }],
    interruptions: INTERRUPTIONS,
    ...scenario,
  });
}

/** What must be true of a run that ended well, whatever went wrong on the way. */
async function expectGoodEnd({ cloud, buckets, made, facts }: Simulated): Promise<void> {
  expect(cloud.runs.all()).toMatchObject([{ id: 'r1', status: 'succeeded' }]);
  expect(buckets.get('results', 'runs/r1/result')).toBe(resultOf('r1', HOUR_MS));
  expect(made.size).toBe(1);
  expect(cloud.volumes.all()).toEqual([]);
  expect(atOnceMax({ facts })).toBe(1);
  const seqs = (await cloud.runs.journal('r1')).map(({ seq }) => seq);
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
}

describe('a run on a volume ends well', () => {
  it('while nothing goes wrong but two interruptions', async () => {
    const simulated = await play({});
    await expectGoodEnd(simulated);
    expect(simulated.cloud.deadLetters.read()).toEqual([]);
  });

  it.each(SEEDS)(
    'while events are dropped, doubled and shuffled and handlers crash (seed %i)',
    async (seed) => {
      const faults = {
        ...NO_FAULTS,
        dropNative: 0.5,
        dropOwn: 0.3,
        dropProbes: 0.3,
        repeat: 0.5,
        lateMs: 300_000,
        crash: 0.1,
        loseSubmit: 0.3,
      };
      await expectGoodEnd(await play({ seed, faults }));
    },
  );

  it.each(SEEDS)('whatever is drawn to go wrong (seed %i)', async (seed) => {
    await expectGoodEnd(await play({ seed, faults: drawFaults(seededRandom(seed)) }));
  });

  it('with every event of AWS lost', async () => {
    await expectGoodEnd(await play({ faults: { ...NO_FAULTS, dropNative: 1 } }));
  });

  it('with every event of AWS and every own event lost but probes', async () => {
    await expectGoodEnd(await play({ faults: { ...NO_FAULTS, dropNative: 1, dropOwn: 1 } }));
  });

  it('with every event of AWS and every delayed look lost: the sweep alone finishes it', async () => {
    const lost = { ...NO_FAULTS, dropNative: 1, dropOwn: 1, losesDelays: true };
    await expectGoodEnd(await play({ faults: lost }));
  });

  it('with every event delivered twice and shuffled', async () => {
    const faults = { ...NO_FAULTS, repeat: 0.99, lateMs: 1_200_000 };
    await expectGoodEnd(await play({ faults }));
  });

  it.each(Object.keys(RUN_EVENTS))('with every %s lost', async (loseType) => {
    await expectGoodEnd(await play({ faults: { ...NO_FAULTS, loseType } }));
  });

  it('after five interruptions in a row, by a second submission', async () => {
    const hard = { afterMs: 400_000, noticeMs: 0 };
    const simulated = await play({ interruptions: Array.from({ length: 6 }, () => hard) });
    await expectGoodEnd(simulated);
    expect(simulated.cloud.batch.all().map(({ jobName }) => jobName)).toEqual([
      'ebbtide-r1_main_1',
      'ebbtide-r1_main_2',
    ]);
  });

  it('with the same trace, however often the same seed is played', async () => {
    const faults = drawFaults(seededRandom(7));
    const [first, second] = [await play({ seed: 7, faults }), await play({ seed: 7, faults })];
    expect(await first.cloud.runs.journal('r1')).toEqual(await second.cloud.runs.journal('r1'));
    expect(first.log).toEqual(second.log);
  });
});

describe('a request', () => {
  it('that is sent twice with the same id is one run', async () => {
    const simulated = await play({ requests: [{ runId: 'r1' }, { runId: 'r1' }] });
    await expectGoodEnd(simulated);
    const types = (await simulated.cloud.runs.journal('r1')).map(({ type }) => type);
    expect(types).not.toContain('RequestRefused');
  });

  it('with other content under a taken id is refused, and the first run only notes it', async () => {
    const other = { runId: 'r1', parameters: { ebsSizeGb: 100 } };
    const { cloud } = await play({
      requests: [{ runId: 'r1' }, other],
      faults: { ...NO_FAULTS, repeat: 0.9 },
    });
    const [first, second] = cloud.runs.all();
    expect(first).toMatchObject({ id: 'r1', status: 'succeeded', parameters: { ebsSizeGb: 500 } });
    expect(second).toMatchObject({
      status: 'rejected',
      verdict: { reason: expect.stringContaining('taken: choose another runId') },
    });
    const types = (await cloud.runs.journal('r1')).map(({ type }) => type);
    expect(types.filter((type) => type === 'RequestRefused')).toHaveLength(1);
  });

  it('without an id gets one from its cause', async () => {
    const { cloud } = await play({ requests: [{}] });
    expect(cloud.runs.all()).toMatchObject([
      { id: expect.stringMatching(/^run-[0-9a-f]{32}$/), status: 'succeeded' },
    ]);
  });

  it('that arrives while every handler crashes is still there when they do not', async () => {
    const { cloud } = await play({ faults: { ...NO_FAULTS, crash: 0.7 } });
    expect(cloud.runs.all()).toMatchObject([{ id: 'r1', status: 'succeeded' }]);
  });
});

describe('a run that cannot do what was asked', () => {
  const work = { workMs: HOUR_MS, checkpointMs: 300_000 };

  it('keeps its volume for a day when its job fails, then gives it back', async () => {
    const { cloud, clock } = await play({ workload: { ...work, exitCode: 3 } });
    const [run] = cloud.runs.all();
    expect(run).toMatchObject({
      status: 'retained',
      verdict: { kind: 'failed', reason: 'job main failed with exit code 3' },
    });
    expect(Date.parse(run?.retainUntil ?? '') - Date.parse(run?.since ?? '')).toBe(24 * HOUR_MS);
    expect(cloud.volumes.all()).toHaveLength(1);
    expect(clock.now()).toBeLessThan(Date.parse(run?.retainUntil ?? ''));
  });

  it('releases the volume of a failed job when its policy says so', async () => {
    const { cloud } = await play({
      requests: [{ runId: 'r1', parameters: { onFailure: 'release' } }],
      workload: { ...work, exitCode: 3 },
    });
    expect(cloud.runs.all()).toMatchObject([{ status: 'failed' }]);
    expect(cloud.volumes.all()).toEqual([]);
  });

  it('releases the volume when no container ever started', async () => {
    const { cloud } = await play({
      workload: { ...work, refusal: 'no such image' },
      interruptions: [],
    });
    expect(cloud.runs.all()).toMatchObject([
      { status: 'failed', verdict: { reason: expect.stringContaining('no such image') } },
    ]);
    expect(cloud.volumes.all()).toEqual([]);
    expect(cloud.batch.all()).toHaveLength(3);
  });

  it('ends a job that hangs at its time limit, and keeps its volume', async () => {
    const { cloud } = await play({
      requests: [{ runId: 'r1', jobs: [{ name: 'main', timeoutSeconds: 3600 }] }],
      workload: { workMs: 9999 * HOUR_MS, checkpointMs: HOUR_MS, isDeaf: true },
      interruptions: [],
    });
    expect(cloud.runs.all()).toMatchObject([
      { status: 'retained', verdict: { reason: expect.stringContaining('duration exceeded') } },
    ]);
  });

  it('ends a job without a limit when the run has lasted as long as it may', async () => {
    const { cloud } = await play({
      requests: [{ runId: 'r1', parameters: { maxRunHours: 5 } }],
      workload: { workMs: 9999 * HOUR_MS, checkpointMs: HOUR_MS },
      interruptions: [],
    });
    const types = (await cloud.runs.journal('r1')).map(({ type }) => type);
    expect(cloud.runs.all()).toMatchObject([{ status: 'retained' }]);
    expect(types).toEqual(expect.arrayContaining(['DeadlinePassed', 'StopRequested']));
  });

  it('waits for room, in another zone each time, and goes on when there is some', async () => {
    let refusals = 0;
    const zones: string[] = [];
    const { cloud } = await play({
      refuse({ zone }) {
        zones.push(zone);
        refusals += 1;
        if (refusals > 4) return undefined;
        return { ok: false, noRoom: true, reason: 'InsufficientVolumeCapacity' };
      },
    });
    expect(cloud.runs.all()).toMatchObject([{ status: 'succeeded' }]);
    expect(new Set(zones).size).toBe(3);
  });

  it('gives up after a day without room', async () => {
    const { cloud } = await play({
      refuse: () => ({ ok: false, noRoom: true, reason: 'VolumeLimitExceeded' }),
    });
    const [run] = cloud.runs.all();
    expect(run).toMatchObject({
      status: 'failed',
      verdict: { reason: expect.stringContaining('VolumeLimitExceeded') },
    });
    const lasted = Date.parse(run?.since ?? '') - Date.parse(run?.acceptedAt ?? '');
    expect(lasted / HOUR_MS).toBeGreaterThanOrEqual(24);
    expect(lasted / HOUR_MS).toBeLessThan(25);
  });

  it('fails at once when AWS refuses the volume for good', async () => {
    const { cloud } = await play({
      refuse: () => ({ ok: false, noRoom: false, reason: 'InvalidParameterValue: zone' }),
    });
    expect(cloud.runs.all()).toMatchObject([
      { status: 'failed', verdict: { reason: 'InvalidParameterValue: zone' } },
    ]);
  });

  it('says so when somebody deletes its volume under it', async () => {
    const { cloud } = await play({
      interruptions: [],
      prepare(local, { clock }) {
        clock.at(clock.now() + HOUR_MS / 2, () => {
          for (const { volumeId } of local.volumes.all()) local.volumes.vanish(volumeId);
        });
      },
    });
    const [run] = cloud.runs.all();
    expect(run).toMatchObject({
      status: 'failed',
      verdict: { reason: expect.stringMatching(/volume vol-\w+ is gone/) },
    });
  });

  it('is retained when somebody else terminates its job', async () => {
    const { cloud } = await play({
      interruptions: [],
      prepare(local, { clock }) {
        clock.at(clock.now() + HOUR_MS / 2, () => {
          for (const { jobId } of local.batch.all()) local.batch.terminate(jobId, 'by hand');
        });
      },
    });
    expect(cloud.runs.all()).toMatchObject([{ status: 'retained' }]);
    expect(cloud.batch.all()).toHaveLength(1);
  });

  it.each([30, 120, 400, 1800])('is cancelled %i s after its request', async (seconds) => {
    const { cloud } = await play({
      interruptions: [],
      prepare(local, { clock }) {
        clock.at(clock.now() + seconds * 1000, () =>
          local.request({ runId: 'r1', reason: 'a mistake' }, 'RunCancelRequested'),
        );
      },
    });
    expect(cloud.runs.all()).toMatchObject([
      { status: 'cancelled', verdict: { kind: 'cancelled', reason: 'a mistake' } },
    ]);
    expect(cloud.volumes.all()).toEqual([]);
    expect(cloud.batch.all().filter(({ status }) => status !== 'FAILED')).toEqual([]);
  });

  it.each(Object.keys(RUN_EVENTS))(
    'is cancelled, and its job stopped, within minutes with every %s lost',
    async (loseType) => {
      const cancelAt = HOUR_MS / 2;
      const { cloud, facts, clock } = await play({
        interruptions: [],
        faults: { ...NO_FAULTS, loseType },
        requests: [{ runId: 'r1', parameters: { deleteEbs: false } }],
        prepare(local, world) {
          world.clock.at(world.clock.now() + cancelAt, () =>
            local.request({ runId: 'r1' }, 'RunCancelRequested'),
          );
        },
      });
      expect(cloud.runs.all()).toMatchObject([{ status: 'cancelled', storage: { over: 'kept' } }]);
      const ended = facts.filter(({ kind }) => kind === 'ended').map(({ at }) => at);
      expect(ended).toHaveLength(1);
      const journal = await cloud.runs.journal('r1');
      const begun = Date.parse(journal[0]?.time ?? '');
      expect((ended[0] ?? clock.now()) - begun - cancelAt).toBeLessThan(5 * 60_000);
      const kept = journal.find(({ type }) => type === 'StorageKept');
      expect(Date.parse(kept?.time ?? '')).toBeGreaterThan(ended[0] ?? clock.now());
    },
  );

  it.each([1, 5, 9, 13, 17, 21, 25, 60, 120])(
    'is never ended over the head of a submission that takes its time (cancelled %i s after the first job)',
    async (seconds) => {
      const { cloud, facts } = await play({
        interruptions: [],
        workload: { workMs: 600_000, checkpointMs: 60_000 },
        faults: { ...NO_FAULTS, callMs: 20_000 },
        requests: [
          {
            runId: 'r1',
            parameters: { deleteEbs: false },
            jobs: [{ name: 'a' }, { name: 'b', dependsOn: ['a'] }],
          },
        ],
        prepare(local, { clock }) {
          const watch = () => {
            const first = local.batch.all()[0];
            if (first?.status !== 'SUCCEEDED') return void clock.at(clock.now() + 500, watch);
            clock.at(clock.now() + seconds * 1000, () =>
              local.request({ runId: 'r1' }, 'RunCancelRequested'),
            );
          };
          watch();
        },
      });
      const [run] = cloud.runs.all();
      const over = cloud.batch
        .all()
        .filter(({ status }) => status === 'SUCCEEDED' || status === 'FAILED');
      expect(over).toHaveLength(cloud.batch.all().length);
      const late = facts.filter(
        ({ kind, at }) => kind === 'started' && at > Date.parse(run?.since ?? ''),
      );
      expect(late).toEqual([]);
    },
  );

  it('goes on where it failed when somebody resumes it', async () => {
    let failing = true;
    const { cloud, buckets } = await play({
      interruptions: [],
      workload: { workMs: HOUR_MS, checkpointMs: 300_000, exitCodeOf: () => (failing ? 3 : 0) },
      prepare(local, { clock }) {
        clock.at(clock.now() + 3 * HOUR_MS, () => {
          failing = false;
          local.request({ runId: 'r1' }, 'RunResumeRequested');
        });
      },
      restsAfterMs: 4 * HOUR_MS,
    });
    expect(cloud.runs.all()).toMatchObject([{ status: 'succeeded' }]);
    expect(buckets.get('results', 'runs/r1/result')).toBe(resultOf('r1', HOUR_MS));
    const types = (await cloud.runs.journal('r1')).map(({ type }) => type);
    expect(types).toEqual(
      expect.arrayContaining(['StorageRetained', 'RunResumed', 'RunSucceeded']),
    );
  });

  it.each([
    [{}, 'retained', 'RequestRefused'],
    [{ discard: true }, 'failed', 'ReleaseStarted'],
  ])('is released before its time only with %j', async (detail, status, type) => {
    const { cloud } = await play({
      interruptions: [],
      workload: { ...work, exitCode: 3 },
      prepare(local, { clock }) {
        clock.at(clock.now() + 3 * HOUR_MS, () =>
          local.request({ runId: 'r1', ...detail }, 'RunReleaseRequested'),
        );
      },
      restsAfterMs: 4 * HOUR_MS,
    });
    expect(cloud.runs.all()).toMatchObject([{ status }]);
    expect((await cloud.runs.journal('r1')).map((event) => event.type)).toContain(type);
  });

  it('leaves a volume that is to be kept, marked and priced', async () => {
    const { cloud } = await play({
      requests: [{ runId: 'r1', parameters: { deleteEbs: false } }],
    });
    expect(cloud.runs.all()).toMatchObject([{ status: 'succeeded', storage: { over: 'kept' } }]);
    expect(cloud.volumes.all()).toMatchObject([{ isKept: true }]);
  });
});

describe('a chain of jobs', () => {
  it('shares one volume, one job at a time', async () => {
    const simulated = await play({
      requests: [
        {
          runId: 'r1',
          jobs: [{ name: 'first' }, { name: 'second', dependsOn: ['first'] }],
        },
      ],
    });
    await expectGoodEnd(simulated);
    const order = simulated.facts
      .filter(({ kind }) => kind === 'started')
      .map(({ task }) => task.wanted.spec.name);
    expect(new Set(order)).toEqual(new Set(['first', 'second']));
    expect(order).toEqual([...order].sort());
  });
});
