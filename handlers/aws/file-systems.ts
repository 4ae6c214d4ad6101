import { type Mode, pricePerHour } from '../../events';
import type {
  FileSystems,
  InspectedFileSystem,
  OwnedStorage,
  SeenAssociation,
  SeenFileSystem,
  SeenTask,
} from '../lib';
import type { FsxApi, FsxAssociation, FsxEvent, FsxTask } from './fsx-api';
import { endsOf } from './fsx-ends';
import { orThrottled, refusalOf, saysNoCapacity } from './fsx-errors';
import { type FsxReads, isUnderWay, readsOf, type Shown } from './fsx-reads';
import { KEPT_TAG, MODE_TAG, RUN_TAG, STACK_TAG, tagOf, tagsFor } from './fsx-tags';
import { tokenOf } from './tokens';

/** Where the adapter stands: whose file systems they are, and in which network. */
export interface FsxPlace {
  /** The value of `ebbtide:stack` on everything of ours. */
  readonly stack: string;
  subnetOf(zone: string): string;
  readonly securityGroupIds: readonly string[];
  /** Epoch milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** What auto-export is to bring: S3 mirrors the file system. */
const EXPORTED: readonly FsxEvent[] = ['NEW', 'CHANGED', 'DELETED'];
/** FSx must deny an id twice, this far apart, before it counts as unknown: a loss is concluded from it. */
const DENIED_AGAIN_MS = 5000;

/**
 * The port over FSx. An association's and a task's tags name stack and run, a file system's the mode
 * too. Auto-export brings what is new, changed and deleted; a task brings no deletion.
 */
export function fileSystemsOn(fsx: FsxApi, place: FsxPlace): FileSystems {
  const reads = denyingTwice(readsOf(fsx), place);
  const ends = endsOf(fsx, place, reads);

  const create: FileSystems['create'] = async (wanted) => {
    try {
      const { FileSystem } = await fsx.createFileSystem({
        ClientRequestToken: tokenOf(place.stack, wanted.clientToken),
        FileSystemType: 'LUSTRE',
        FileSystemTypeVersion: wanted.version,
        StorageCapacity: wanted.sizeGib,
        StorageType: 'SSD',
        SubnetIds: [place.subnetOf(wanted.zone)],
        SecurityGroupIds: [...place.securityGroupIds],
        LustreConfiguration: { DeploymentType: 'SCRATCH_2' },
        Tags: [...tagsFor(place.stack, wanted.runId), { Key: MODE_TAG, Value: wanted.mode }],
      });
      const fileSystemId = answered(FileSystem?.FileSystemId, 'FileSystemId');
      const mountName = answered(FileSystem?.LustreConfiguration?.MountName, 'MountName');
      return { ok: true, fileSystemId, mountName };
    } catch (error) {
      const { noRoom, reason } = refusalOf(error);
      return { ok: false, noRoom, reason };
    }
  };

  const link: FileSystems['link'] = async ({ clientToken, runId, fileSystemId, ...wanted }) => {
    const { path, repositoryPath, imports, autoExports } = wanted.link;
    try {
      const { Association } = await fsx.createDataRepositoryAssociation({
        ClientRequestToken: tokenOf(place.stack, clientToken),
        FileSystemId: fileSystemId,
        FileSystemPath: path,
        DataRepositoryPath: repositoryPath,
        BatchImportMetaDataOnCreate: imports,
        ImportedFileChunkSize: wanted.chunkSizeMib,
        ...(autoExports && { S3: { AutoExportPolicy: { Events: [...EXPORTED] } } }),
        Tags: tagsFor(place.stack, runId),
      });
      return { ok: true, associationId: answered(Association?.AssociationId, 'AssociationId') };
    } catch (error) {
      return { ok: false, reason: refusalOf(error).reason };
    }
  };

  const startExport: FileSystems['startExport'] = async ({ clientToken, runId, ...wanted }) => {
    try {
      const { DataRepositoryTask } = await fsx.createDataRepositoryTask({
        ClientRequestToken: tokenOf(place.stack, clientToken),
        Type: 'EXPORT_TO_REPOSITORY',
        FileSystemId: wanted.fileSystemId,
        Paths: [wanted.path.replace(/^\/+/, '')],
        Report: {
          Enabled: true,
          Path: wanted.reportPath,
          Format: 'REPORT_CSV_20191124',
          Scope: 'FAILED_FILES_ONLY',
        },
        Tags: tagsFor(place.stack, runId),
      });
      return { ok: true, taskId: answered(DataRepositoryTask?.TaskId, 'TaskId') };
    } catch (error) {
      const { name, reason } = refusalOf(error);
      return { ok: false, isBusy: name === 'DataRepositoryTaskExecuting', reason };
    }
  };

  async function inspect(ids: readonly string[]): Promise<readonly InspectedFileSystem[]> {
    const seen = (await reads.fileSystems(ids)).map(seenOf);
    const known = seen.map(({ fileSystemId }) => fileSystemId);
    const associations = await reads.associations(known);
    const tasks = await reads.tasks(known);
    return seen.map((each) => {
      const isOf = ({ FileSystemId }: FsxAssociation | FsxTask) =>
        FileSystemId === each.fileSystemId;
      return {
        ...each,
        associations: associations.filter(isOf).map(associationOf),
        tasks: tasks.filter(isOf).map(taskOf),
      };
    });
  }

  async function list(): Promise<readonly OwnedStorage[]> {
    const ours = (await reads.everyFileSystem()).filter(
      (each) => tagOf(each, STACK_TAG) === place.stack,
    );
    const tasks = await reads.tasks(ours.map(({ FileSystemId }) => FileSystemId));
    const busy = new Set(tasks.filter(isUnderWay).map(({ FileSystemId }) => FileSystemId));
    return ours.map((each) => ownedOf(each, busy.has(each.FileSystemId)));
  }

  return {
    create: (wanted) => orThrottled(create(wanted)),
    link: (wanted) => orThrottled(link(wanted)),
    describe: async (ids) => (await orThrottled(reads.fileSystems(ids))).map(seenOf),
    inspect: (ids) => orThrottled(inspect(ids)),
    switchOffAutoExport: (wanted) => orThrottled(ends.switchOffAutoExport(wanted.associationId)),
    startExport: (wanted) => orThrottled(startExport(wanted)),
    release: (wanted) => orThrottled(ends.release(wanted)),
    keep: (fileSystemId) => orThrottled(ends.keep(fileSystemId)),
    discard: (fileSystemId) => orThrottled(ends.discard(fileSystemId)),
    list: () => orThrottled(list()),
  };
}

function denyingTwice(reads: FsxReads, { sleep }: FsxPlace): FsxReads {
  return {
    ...reads,
    async fileSystems(ids) {
      const seen = await reads.fileSystems(ids);
      const denied = ids.filter((id) => !seen.some(({ FileSystemId }) => FileSystemId === id));
      if (denied.length === 0) return seen;
      await sleep(DENIED_AGAIN_MS);
      return [...seen, ...(await reads.fileSystems(denied))];
    },
  };
}

function seenOf({ FileSystemId, Lifecycle = '', FailureDetails }: Shown): SeenFileSystem {
  const failure = FailureDetails?.Message;
  return {
    fileSystemId: FileSystemId,
    lifecycle: Lifecycle,
    ...(failure !== undefined && { failure }),
    noRoom: Lifecycle === 'FAILED' && saysNoCapacity(failure),
  };
}

function associationOf(association: FsxAssociation): SeenAssociation {
  const { AssociationId = '', FileSystemPath = '', Lifecycle = '', FailureDetails } = association;
  return {
    associationId: AssociationId,
    path: FileSystemPath,
    lifecycle: Lifecycle,
    ...(FailureDetails?.Message !== undefined && { failure: FailureDetails.Message }),
    autoExports: (association.S3?.AutoExportPolicy?.Events ?? []).length > 0,
  };
}

/** Counts that are not all there say nothing. */
function taskOf({ TaskId = '', Type = '', Lifecycle = '', ...task }: FsxTask): SeenTask {
  const { TotalCount: total, SucceededCount: succeeded, FailedCount: failed } = task.Status ?? {};
  const failure = task.FailureDetails?.Message;
  const isCounted = total !== undefined && succeeded !== undefined && failed !== undefined;
  return {
    taskId: TaskId,
    type: Type,
    lifecycle: Lifecycle,
    ...(failure !== undefined && { failure }),
    ...(isCounted && { counts: { total, succeeded, failed } }),
  };
}

function ownedOf(shown: Shown, isInUse: boolean): OwnedStorage {
  const { FileSystemId, CreationTime, StorageCapacity: sizeGib = 0 } = shown;
  const mode: Mode = tagOf(shown, MODE_TAG) === 'autoExport' ? 'autoExport' : 'taskExport';
  return {
    storageId: FileSystemId,
    kind: 'fileSystem',
    runId: tagOf(shown, RUN_TAG) ?? '',
    createdAt: (CreationTime ?? new Date(0)).toISOString(),
    sizeGib,
    pricePerHour: pricePerHour({ mode, parameters: { lustreStorageCapacity: sizeGib } }),
    isInUse,
    isKept: tagOf(shown, KEPT_TAG) !== undefined,
  };
}

function answered(value: string | undefined, name: string): string {
  if (value) return value;
  throw new Error(`FSx answered without ${name}: the next delivery finds it under the same token`);
}
