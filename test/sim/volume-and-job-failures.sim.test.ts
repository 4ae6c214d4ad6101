import { type RunEventType, secretLayer } from '../../events';
import type { Jobs } from '../../handlers';
import type { Cloud } from '../../sim/cloud';
import { NO_FAULTS } from '../../sim/faults';
import { START, settingsOf } from '../../sim/simulator';
import type { LocalVolume } from '../../sim/volumes';
import {
  BAD_END,
  type Ending,
  endingOf,
  expectRow,
  GOOD_END,
  RETAINED,
  type Row,
  says,
  typesOf,
} from '../support/endings';
import { HOUR_MS, MINUTE_MS, MODE_WAYS, onceIn, play, type Way, WORK } from '../support/plays';
import { playWrapped } from '../support/wrapped-cloud';

const ONLY_EBS: Way = { way: 'onlyEBS', mode: 'onlyEBS' };

/** Where a run may lose its storage. */
const LOSSES = [
  { status: 'ready', afterMs: 2000 },
  { status: 'running', afterMs: 30 * MINUTE_MS },
  { status: 'exporting', afterMs: 5000 },
  { status: 'retained', afterMs: HOUR_MS },
] as const;

describe.each(MODE_WAYS)('storage of $way that somebody deletes', (way) => {
  // A volume's run exports nothing itself.
  const losses = LOSSES.filter(({ status }) => way.mode !== 'onlyEBS' || status !== 'exporting');

  it.each(losses)('is said to be lost when the run is $status', async ({ status, afterMs }) => {
    const played = await play(way, {
      restsAfterMs: 4 * HOUR_MS,
      workload: status === 'retained' ? { ...WORK, exitCode: 3 } : WORK,
      // A run is ready for a moment only, unless the event that ends it is lost.
      faults: { ...NO_FAULTS, ...(status === 'ready' && { loseType: availableOf(way) }) },
      prepare(cloud, world) {
        onceIn(status, { cloud, world, afterMs }, ({ storage: { id = '' } }) => {
          cloud.fsx.vanish(id);
          cloud.volumes.vanish(id);
        });
      },
    });
    expect(await endingOf(played)).toEqual({
      ...BAD_END,
      says: says(/^(volume vol|file system fs)-\w+ is gone, and nobody here did that$/),
    });
    expect(await typesOf(played)).toContain('StorageLost');
    expect(living(played.cloud)).toEqual([]);
    // Whoever is told of the end may rely on it: no container is there any more.
    const [run] = played.cloud.runs.all();
    const ends = played.facts.filter(({ kind }) => kind === 'ended').map(({ at }) => at);
    expect(Math.max(0, ...ends)).toBeLessThan(Date.parse(run?.since ?? ''));
  });
});

function availableOf({ mode }: Way): RunEventType {
  return mode === 'onlyEBS' ? 'VolumeAvailable' : 'FileSystemAvailable';
}

function living({ batch }: Cloud) {
  return batch.all().filter(({ status }) => status !== 'SUCCEEDED' && status !== 'FAILED');
}

/** What EC2 makes of a volume, for which the twin has no word. */
function alter(cloud: Cloud, changes: Partial<LocalVolume>): void {
  for (const volume of cloud.volumes.all()) Object.assign(volume, changes);
}

const VOLUMES: readonly Row[] = [
  {
    wrong: 'EC2 refuses it',
    scenario: () => ({
      refuse: () => ({ ok: false, noRoom: false, reason: 'InvalidParameterValue' }),
    }),
    end: { ...BAD_END, says: 'InvalidParameterValue' },
    journal: ['StorageFailed', 'ReleaseStarted', 'StorageReleased'],
  },
  {
    wrong: 'a quota is used up for more than a day',
    scenario: () => ({
      refuse: () => ({ ok: false, noRoom: true, reason: 'VolumeLimitExceeded' }),
    }),
    end: { ...BAD_END, says: says(/queued for longer than it may be: VolumeLimitExceeded$/) },
    journal: ['StorageDeferred', 'StorageRequested', 'DeadlinePassed'],
  },
  {
    wrong: 'EC2 answers with a volume that never shows',
    scenario: () => ({
      refuse: ({ zone }) => ({ ok: true, volumeId: 'vol-0aaaaaaaaaaaaaaaa', zone }),
    }),
    end: { ...BAD_END, says: 'volume vol-0aaaaaaaaaaaaaaaa is gone instead of available' },
    journal: ['VolumeCreated', 'StorageFailed', 'ReleaseStarted'],
  },
  {
    wrong: 'its creation ends in an error',
    scenario: () => ({
      prepare(cloud, world) {
        onceIn('provisioning', { cloud, world, afterMs: 900 }, () =>
          alter(cloud, { state: 'error' }),
        );
      },
    }),
    end: { ...BAD_END, says: says(/^volume vol-\w+ is error instead of available$/) },
    journal: ['VolumeCreated', 'StorageFailed', 'ReleaseStarted', 'StorageReleased'],
  },
  {
    wrong: 'its creation never ends, for hours',
    scenario: () => ({
      prepare(cloud, world) {
        const pattern = { source: ['aws.ec2'], detail: { event: ['createVolume'] } };
        const deliver = () => alter(cloud, { state: 'creating' });
        cloud.nativeBus.addRule({ name: 'hold', pattern, deliver });
        world.clock.at(world.clock.now() + 5 * HOUR_MS, () => {
          for (const { volumeId } of cloud.volumes.all()) cloud.volumes.vanish(volumeId);
        });
      },
    }),
    end: { ...BAD_END, says: says(/provisioning for longer than it may be/) },
  },
  {
    wrong: 'its detaching never ends, for hours',
    scenario: () => ({
      prepare(cloud, world) {
        onceIn('running', { cloud, world, afterMs: 30 * MINUTE_MS }, () =>
          alter(cloud, { isDetaching: true }),
        );
        onceIn('releasing', { cloud, world, afterMs: 5 * HOUR_MS }, () =>
          alter(cloud, { isDetaching: false }),
        );
      },
    }),
    end: GOOD_END,
    journal: ['ReleaseStarted', 'DeadlinePassed', 'StorageReleased', 'RunSucceeded'],
  },
  {
    wrong: 'another host holds it and never lets go',
    scenario: () => ({
      prepare(cloud, world) {
        onceIn('ready', { cloud, world }, () =>
          alter(cloud, { state: 'in-use', host: 'i-0stranger' }),
        );
      },
    }),
    end: {
      ...BAD_END,
      says: says(/could not be started in 3 submissions of 5 attempts: .*attached to i-0stranger/),
    },
  },
  {
    wrong: 'the host that Spot took never lets go of it',
    scenario: () => ({
      interruptions: [{ afterMs: 30 * MINUTE_MS, noticeMs: 0 }],
      prepare(cloud, world) {
        onceIn('running', { cloud, world, afterMs: 20 * MINUTE_MS }, () =>
          alter(cloud, { isDetaching: true }),
        );
      },
    }),
    end: { ...RETAINED, says: says(/was interrupted to the end of 3 submissions of 5 attempts/) },
  },
];

describe('a volume', () => {
  it.each(VOLUMES)('leaves no run hanging when $wrong', async (row) => {
    await expectRow(ONLY_EBS, row);
  });
});

const ENDLESS = { ...WORK, workMs: 9999 * HOUR_MS };

const JOBS: readonly Row[] = [
  {
    wrong: 'is too large for its queue',
    scenario: () => ({ maxVcpus: 16 }),
    end: { ...BAD_END, says: says(/running for longer than it may be/) },
    journal: ['DeadlinePassed', 'StopRequested', 'JobsStopped', 'ReleaseStarted'],
  },
  {
    wrong: 'never ends',
    scenario: () => ({ wants: { maxRunHours: 3 }, workload: ENDLESS }),
    end: { ...RETAINED, says: says(/running for longer than it may be/) },
    journal: ['DeadlinePassed', 'StopRequested', 'JobsStopped', 'StorageRetained'],
  },
  {
    wrong: 'never ends, and does not listen to SIGTERM',
    scenario: () => ({ wants: { maxRunHours: 3 }, workload: { ...ENDLESS, isDeaf: true } }),
    end: { ...RETAINED, says: says(/running for longer than it may be/) },
  },
  {
    wrong: 'reaches its time limit',
    scenario: () => ({ jobs: [{ name: 'main', timeoutSeconds: 3600 }], workload: ENDLESS }),
    end: { ...RETAINED, says: says(/^job main failed.*duration exceeded timeout/) },
  },
  {
    wrong: 'is terminated by somebody',
    scenario: () => ({
      prepare(cloud, world) {
        onceIn('running', { cloud, world, afterMs: 30 * MINUTE_MS }, () => {
          for (const { jobId } of cloud.batch.all()) cloud.batch.terminate(jobId, 'by hand');
        });
      },
    }),
    end: { ...RETAINED, says: says(/^job main failed.*by hand/) },
  },
  {
    wrong: 'has an image that cannot start',
    scenario: () => ({ workload: { ...WORK, refusal: 'no such image' } }),
    end: { ...BAD_END, says: says(/could not be started in 3 submissions.*no such image/) },
  },
];

/** What Batch answers, where the twin of Batch has no word for it. */
const ANSWERS: readonly {
  readonly wrong: string;
  wrap(jobs: Jobs, minutes: number): Partial<Jobs>;
  end(way: Way): Ending;
}[] = [
  {
    wrong: 'is refused',
    wrap: () => ({ submit: async () => ({ ok: false, reason: 'the queue is disabled' }) }),
    end: () => ({ ...BAD_END, says: 'job main failed: the queue is disabled' }),
  },
  {
    wrong: 'is forgotten before anybody has seen its end',
    wrap: (jobs, minutes) => ({
      describe: async (ids) => (minutes > 45 ? [] : jobs.describe(ids)),
    }),
    end: () => ({
      ...RETAINED,
      // It may be alive, so it is stopped before anything else: it does not come to its result.
      s3: {},
      says: 'job main failed: Batch does not know this job any more',
    }),
  },
];

describe.each(MODE_WAYS)('when its job', (way) => {
  it.each(JOBS)(`$wrong, a run of ${way.way} is over or retained`, async (row) => {
    const { cloud } = await expectRow(way, row);
    expect(living(cloud)).toEqual([]);
  });

  it.each(ANSWERS)(`$wrong, a run of ${way.way} is over or retained`, async ({ wrap, end }) => {
    const played = await playWrapped({
      requests: [{ runId: 'r1', mode: way.mode }],
      wrap: (ports, { clock }) => {
        const minutes = (clock.now() - START) / MINUTE_MS;
        return { ...ports, jobs: { ...ports.jobs, ...wrap(ports.jobs, minutes) } };
      },
    });
    expect(await endingOf(played)).toEqual(end(way));
  });

  it(`cannot be judged as a secret vanished, a run of ${way.way} is rejected`, async () => {
    const settings = {
      ...settingsOf('taskExport', 'autoExport', 'onlyEBS'),
      layers: { [way.mode]: [secretLayer('ebbtide/overrides', undefined)] },
    };
    const played = await play(way, { settings });
    expect(await endingOf(played)).toEqual({
      ...BAD_END,
      status: 'rejected',
      says: says(/^the secret ebbtide\/overrides is not there/),
    });
  });
});
