import type { Cloud } from '../../sim/cloud';
import { NO_FAULTS } from '../../sim/faults';
import type { Scenario } from '../../sim/simulator';
import {
  BAD_END,
  endingOf,
  expectRow,
  GOOD_END,
  RESULT,
  RETAINED,
  type Row,
  says,
} from '../support/endings';
import {
  fileSystemOf,
  HOUR_MS,
  LUSTRE_WAYS,
  MINUTE_MS,
  onceIn,
  PROVEN_WAYS,
  play,
  type Way,
  WORK,
} from '../support/plays';

const AUTO_EXPORT: Way = { way: 'autoExport', mode: 'autoExport' };
const METRICS: Way = { ...AUTO_EXPORT, parameters: { exportProof: 'metrics' } };
const REPORTS = { '_ebbtide/reports': 'a report' };

type Refusal = { readonly name: string; readonly message: string };

/** FSx refuses an operation, for ever or so many times. */
function refusing(
  operation: string,
  refusal: Refusal,
  times = Number.POSITIVE_INFINITY,
): Scenario['fsx'] {
  let left = times;
  return {
    refuse(asked) {
      if (asked !== operation || left <= 0) return undefined;
      left -= 1;
      return refusal;
    },
  };
}

/** The same fate for the first so many things, and none for those after them. */
function first<Fate>(times: number, fate: Fate): () => Fate | undefined {
  let left = times;
  return () => {
    left -= 1;
    return left >= 0 ? fate : undefined;
  };
}

const EVER = Number.POSITIVE_INFINITY;
const QUOTA = { name: 'ServiceLimitExceeded', message: 'The limit of scratch storage is exceeded' };
const CAPACITY = { name: 'BadRequest', message: 'There is insufficient capacity in this zone.' };
const NETWORK = { name: 'InvalidNetworkSettings', message: 'The subnet has no free addresses' };
const FORBIDDEN = { name: 'BadRequest', message: 'FSx may not read the bucket' };
const never = () => ({ kind: 'never' }) as const;
/** What FSx may be like, though nobody says so. */
const GENEROUS = { fate: { fileSystem: never }, deletesWhileCreating: true };

const CREATIONS: readonly Row[] = [
  {
    wrong: 'FSx refuses the network',
    scenario: () => ({ fsx: refusing('createFileSystem', NETWORK) }),
    end: { ...BAD_END, says: NETWORK.message },
    journal: ['StorageFailed', 'ReleaseStarted', 'StorageReleased'],
  },
  {
    wrong: 'a quota is used up for more than a day',
    scenario: () => ({ fsx: refusing('createFileSystem', QUOTA) }),
    end: { ...BAD_END, says: says(/queued for longer than it may be: The limit of scratch/) },
    journal: ['StorageDeferred', 'StorageRequested', 'StorageDeferred', 'DeadlinePassed'],
  },
  {
    wrong: 'a quota is used up for a while',
    scenario: () => ({ fsx: refusing('createFileSystem', QUOTA, 5) }),
    end: GOOD_END,
    journal: ['StorageDeferred', 'StorageRequested', 'FileSystemCreated'],
  },
  {
    wrong: 'a zone without capacity refuses',
    scenario: () => ({ fsx: refusing('createFileSystem', CAPACITY, 3) }),
    end: GOOD_END,
    journal: ['StorageDeferred', 'StorageRequested', 'FileSystemCreated'],
  },
  {
    wrong: 'a zone without capacity makes a file system that fails',
    scenario: () => ({
      fsx: { fate: { fileSystem: first(2, { kind: 'fails', message: CAPACITY.message }) } },
    }),
    end: GOOD_END,
    journal: ['StorageDeferred', 'StorageDiscarded', 'StorageRequested', 'FileSystemAvailable'],
  },
  {
    wrong: 'the file system fails for another reason',
    scenario: () => ({
      fsx: { fate: { fileSystem: first(EVER, { kind: 'fails', message: 'The key is gone' }) } },
    }),
    end: { ...BAD_END, says: says(/^file system fs-\w+ is FAILED instead of available: The key/) },
    journal: ['StorageFailed', 'ReleaseStarted', 'StorageReleased'],
  },
  {
    wrong: 'the file system never comes up, and cannot be deleted for hours',
    scenario: () => ({
      fsx: { fate: { fileSystem: never } },
      prepare(cloud, { clock }) {
        clock.at(clock.now() + 5 * HOUR_MS, () => {
          for (const { fileSystemId } of cloud.fsx.all()) cloud.fsx.vanish(fileSystemId);
        });
      },
    }),
    end: { ...BAD_END, says: says(/provisioning for longer than it may be/) },
    journal: ['DeadlinePassed', 'ReleaseStarted', 'DeadlinePassed', 'StorageReleased'],
  },
  {
    wrong: 'the file system never comes up, but can be deleted',
    scenario: () => ({ fsx: GENEROUS }),
    end: { ...BAD_END, says: says(/provisioning for longer than it may be/) },
    journal: ['DeadlinePassed', 'ReleaseStarted', 'StorageReleased'],
  },
];

const LINKS: readonly Row[] = [
  {
    wrong: 'the association is refused',
    scenario: () => ({ fsx: refusing('createDataRepositoryAssociation', FORBIDDEN) }),
    end: { ...BAD_END, says: `/scratch could not be linked to S3: ${FORBIDDEN.message}` },
  },
  {
    wrong: 'the association fails',
    scenario: () => ({
      fsx: { fate: { association: first(EVER, { kind: 'fails', message: 'no' }) } },
    }),
    end: { ...BAD_END, says: 'the association of /scratch with S3 is FAILED: no' },
  },
  {
    wrong: 'the association is misconfigured for ten minutes',
    scenario: () => ({ fsx: { fate: { association: misconfiguredFor(10 * MINUTE_MS) } } }),
    end: GOOD_END,
    journal: ['RepositoryMisconfigured', 'FileSystemAvailable'],
  },
  {
    wrong: 'the association is misconfigured before its import',
    scenario: () => ({
      wants: { dataRepositoryPath: 's3://inputs/set-1/' },
      fsx: { fate: { association: misconfiguredFor(10 * MINUTE_MS) } },
    }),
    end: { ...GOOD_END, s3: {} },
    journal: ['RepositoryMisconfigured', 'RepositoryRecovered', 'FileSystemAvailable'],
  },
  {
    wrong: 'the association is misconfigured and never heals',
    scenario: () => ({ fsx: { fate: { association: misconfiguredFor(999 * HOUR_MS) } } }),
    end: {
      ...BAD_END,
      says: says(/MISCONFIGURED: no access, and did not heal within 15 minutes$/),
    },
    journal: ['RepositoryMisconfigured', 'StorageFailed'],
  },
  {
    wrong: 'the import fails',
    scenario: () => ({
      wants: { inputRepositoryPath: 's3://inputs/set-1/' },
      fsx: { fate: { task: first(EVER, { kind: 'fails', message: 'no such bucket' }) } },
    }),
    end: { ...BAD_END, says: 'the import from S3 is FAILED: no such bucket' },
  },
  {
    wrong: 'the import never ends',
    scenario: () => ({
      wants: { inputRepositoryPath: 's3://inputs/set-1/' },
      fsx: { fate: { task: first(EVER, { kind: 'sticks', in: 'EXECUTING' }) } },
    }),
    end: { ...BAD_END, says: says(/provisioning for longer than it may be/) },
    journal: ['DeadlinePassed', 'ReleaseStarted', 'StorageReleased'],
  },
];

function misconfiguredFor(healsAfterMs: number) {
  return first(EVER, { kind: 'misconfigured', message: 'no access', healsAfterMs } as const);
}

const EXPORTS: readonly Row[] = [
  {
    isBroughtAlong: true,
    wrong: 'the export task is refused three times',
    scenario: () => ({ fsx: refusing('createDataRepositoryTask', FORBIDDEN) }),
    end: { ...RETAINED, says: says(/failed 3 times, at last because FSx refused .*: FSx may not/) },
    journal: ['ExportFailed', 'ExportFailed', 'ExportFailed', 'StorageRetained'],
  },
  {
    wrong: 'the export task is refused once',
    scenario: () => ({ fsx: refusing('createDataRepositoryTask', FORBIDDEN, 1) }),
    end: GOOD_END,
    journal: ['ExportFailed', 'ExportTaskCreated', 'ExportTaskCompleted'],
  },
  {
    isBroughtAlong: true,
    wrong: 'the export task fails three times',
    scenario: () => ({
      fsx: { fate: { task: first(EVER, { kind: 'fails', message: 'it broke' }) } },
    }),
    end: { ...RETAINED, says: says(/failed 3 times, .* the export task is FAILED, it broke/) },
    journal: ['ExportFailed', 'ExportFailed', 'ExportFailed', 'StorageRetained'],
  },
  {
    wrong: 'the export task fails twice',
    scenario: () => ({ fsx: { fate: { task: first(2, { kind: 'fails', message: 'it broke' }) } } }),
    end: GOOD_END,
    journal: ['ExportFailed', 'ExportFailed', 'ExportTaskCreated', 'ExportTaskCompleted'],
  },
  {
    isBroughtAlong: true,
    wrong: 'the export task never ends',
    scenario: () => ({ fsx: { fate: { task: first(EVER, { kind: 'sticks', in: 'EXECUTING' }) } } }),
    end: { ...RETAINED, says: says(/exporting for longer than it may be/) },
    journal: ['ExportTaskCreated', 'DeadlinePassed', 'StorageRetained'],
  },
  {
    isBroughtAlong: true,
    wrong: 'the export task never ends, and its retention is over',
    scenario: () => ({
      wants: { retainHours: 1 },
      fsx: { fate: { task: first(EVER, { kind: 'sticks', in: 'EXECUTING' }) } },
      restsAfterMs: 12 * HOUR_MS,
    }),
    end: { ...BAD_END, says: says(/exporting for longer than it may be/) },
    journal: ['StorageRetained', 'ReleaseStarted', 'StorageReleased'],
  },
  {
    isBroughtAlong: true,
    wrong: 'the export task never begins',
    scenario: () => ({ fsx: { fate: { task: first(EVER, { kind: 'sticks', in: 'PENDING' }) } } }),
    end: { ...RETAINED, says: says(/exporting for longer than it may be/) },
  },
  {
    isBroughtAlong: true,
    wrong: 'somebody cancels the export task, and that never ends',
    scenario: () => ({
      fsx: { fate: { task: first(EVER, { kind: 'sticks', in: 'CANCELING' }) } },
      prepare: cancelsExports,
    }),
    end: { ...RETAINED, says: says(/exporting for longer than it may be/) },
  },
  {
    wrong: 'somebody cancels the export task once',
    scenario: () => ({ prepare: cancelsExports }),
    end: GOOD_END,
    journal: ['ExportFailed', 'ExportTaskCreated', 'ExportTaskCompleted'],
  },
  {
    wrong: 'FSx does not know the export task any more',
    scenario: () => ({
      prepare({ fsx }) {
        Object.assign(fsx, { describeDataRepositoryTasks: async () => ({}) });
      },
    }),
    end: {
      ...RETAINED,
      s3: { result: RESULT },
      says: says(/FSx does not know the export task any more/),
    },
  },
  {
    wrong: 'the bucket refuses every file',
    scenario: () => ({ fsx: { fate: { file: () => 'S3AccessDenied' } } }),
    end: {
      ...RETAINED,
      s3: REPORTS,
      says: says(
        /1 of 1 files failed.* listed in s3:\/\/results\/runs\/r1\/_ebbtide\/reports\/task/,
      ),
    },
  },
];

/** The first task of a file system that runs is cancelled. */
function cancelsExports({ fsx }: Cloud, { clock }: { clock: { now(): number; at: At } }): void {
  const look = async () => {
    const { DataRepositoryTasks = [] } = await fsx.describeDataRepositoryTasks({});
    const TaskId = DataRepositoryTasks.find(({ Lifecycle }) => Lifecycle === 'EXECUTING')?.TaskId;
    if (TaskId) await fsx.cancelDataRepositoryTask({ TaskId });
    else clock.at(clock.now() + 2000, () => void look());
  };
  clock.at(clock.now() + HOUR_MS, () => void look());
}
type At = (time: number, run: () => void) => unknown;

describe.each(PROVEN_WAYS)('a run of $way', (way) => {
  it.each([...CREATIONS, ...LINKS, ...EXPORTS])('ends as it should when $wrong', async (row) => {
    await expectRow(way, row);
  });

  it('has every file in S3 that FSx could bring, and says where the others are listed', async () => {
    const played = await play(way, leavingTwoFiles('result'));
    expect(await endingOf(played)).toEqual({
      ...RETAINED,
      s3: { ...REPORTS, other: 'the other' },
      says: says(
        /1 of 1 files failed.* listed in s3:\/\/results\/runs\/r1\/_ebbtide\/reports\/task/,
      ),
    });
  });

  it('waits for another run when the quota has room for one file system', async () => {
    const requests = ['r1', 'r2'].map((runId) => ({ runId, mode: way.mode }));
    const played = await play(way, { requests, fsx: { quota: { fileSystems: 1, gib: 2400 } } });
    expect((await endingOf(played, 'r2')).status).toBe('succeeded');
    expect((await endingOf(played, 'r1')).status).toBe('succeeded');
    expect(played.cloud.fsx.all()).toEqual([]);
  });
});

/** A job that leaves another file besides its result; files of this name cannot be brought. */
function leavingTwoFiles(refused: string): Parameters<typeof play>[1] {
  let write = (_fileSystemId: string) => {};
  return {
    fsx: { fate: { file: (_, path) => (path.endsWith(refused) ? 'S3AccessDenied' : undefined) } },
    prepare(_cloud, { trees, clock }) {
      write = (id) => trees.write(id, '/scratch/other', 'the other', clock.now());
    },
    workload(task) {
      write(fileSystemOf(task));
      return WORK;
    },
  };
}

describe('a run of autoExport', () => {
  it('is retained when auto-export cannot be switched off', async () => {
    await expectRow(AUTO_EXPORT, {
      wrong: 'FSx refuses',
      scenario: () => ({ fsx: refusing('updateDataRepositoryAssociation', FORBIDDEN) }),
      end: {
        ...RETAINED,
        s3: { result: RESULT },
        says: says(/failed 3 times.* auto-export could not be switched off: FSx may not/),
      },
      journal: ['ExportQueueDrained', 'ExportFailed', 'ExportFailed', 'StorageRetained'],
    });
  });

  it.each([AUTO_EXPORT, METRICS])('is retained when nothing tells of its queue', async (way) => {
    await expectRow(way, {
      wrong: 'no point ever comes',
      scenario: () => ({ faults: { ...NO_FAULTS, missPoints: 1 } }),
      end: {
        ...RETAINED,
        s3: { result: RESULT },
        says: says(/exporting for longer than it may be/),
      },
    });
  });

  it('succeeds without a file that S3 refused where it takes the empty queue for proof', async () => {
    const scenario = { fsx: { fate: { file: () => 'S3AccessDenied' } } };
    expect(await endingOf(await play(METRICS, scenario))).toEqual({ ...GOOD_END, s3: {} });
  });
});

describe.each(LUSTRE_WAYS)('a file system of $way', (way) => {
  it('is given back when it fails under the job', async () => {
    const played = await play(way, {
      prepare(cloud, world) {
        onceIn('running', { cloud, world, afterMs: 30 * MINUTE_MS }, ({ storage: { id = '' } }) =>
          cloud.fsx.fail(id, 'a server died'),
        );
      },
    });
    expect(await endingOf(played)).toEqual({
      ...BAD_END,
      says: says(/^file system fs-\w+ is FAILED: a server died, and nobody here did that$/),
    });
  });
});
