import type { FsxApi, FsxFileSystem } from '../handlers/aws/fsx-api';
import { type FsxCore, knownBy, type LocalFileSystem, MINUTE } from './fsx-core';
import {
  badRequest,
  checkFileSystem,
  checkFileSystemId,
  checkTags,
  checkToken,
  FsxError,
} from './fsx-rules';

/** Who wants to hear what becomes of file systems. */
interface Listeners {
  /** It can be used, from now on. */
  available(fileSystemId: string): void;
  /** A task that is one of FSx's two words for not letting go. */
  isHeld(fileSystemId: string): boolean;
}

/** The part of the twin that is about file systems themselves. */
export interface FsxFileSystems
  extends Pick<FsxApi, 'createFileSystem' | 'deleteFileSystem' | 'tagResource'> {
  /** Goes on where an earlier process stopped. */
  resume(fileSystem: LocalFileSystem): void;
  fail(fileSystemId: string, message: string): void;
  arnOf(fileSystemId: string): string;
  shown(fileSystem: LocalFileSystem): FsxFileSystem;
}

/** The guides' ten minutes, and twelve that were measured at 72 TB. */
const CREATION_MS = { min: 5 * MINUTE, max: 12 * MINUTE };
/** Assumed. */
const DELETION_MS = { min: 2 * MINUTE, max: 6 * MINUTE };
/** Scratch file systems and their capacity, per account and Region. */
const QUOTA = { fileSystems: 100, gib: 100_800 };

export function fileSystemsOf(core: FsxCore, { available, isHeld }: Listeners): FsxFileSystems {
  const { parts } = core;
  const { clock, random, fate } = parts;
  const arnOf = (id: string) => `arn:aws:fsx:${parts.region}:${parts.account}:file-system/${id}`;

  const createFileSystem: FsxApi['createFileSystem'] = async (request) => {
    checkFileSystem(request);
    const known = knownBy(core.all(), request);
    if (known) return { FileSystem: shown(known) };
    refuse('createFileSystem', request);
    checkQuota(request.StorageCapacity ?? 0);
    const made: LocalFileSystem = {
      fileSystemId: `fs-0${random.hex(16)}`,
      mountName: random.hex(8),
      createdAt: clock.now(),
      lifecycle: 'CREATING',
      request: structuredClone(request),
      tags: request.Tags ?? [],
      associations: [],
    };
    core.put(made);
    comeUp(made);
    return { FileSystem: shown(made) };
  };

  function refuse(operation: string, request: object): void {
    const refusal = parts.refuse?.(operation, request);
    if (refusal) throw new FsxError(refusal.name, refusal.message);
  }

  function checkQuota(gib: number): void {
    const { fileSystems, gib: gibMax } = parts.quota ?? QUOTA;
    const used = core.all().reduce((sum, { request }) => sum + (request.StorageCapacity ?? 0), 0);
    if (core.all().length < fileSystems && used + gib <= gibMax) return;
    throw new FsxError('ServiceLimitExceeded', 'The limit of scratch storage is exceeded');
  }

  function comeUp({ fileSystemId: id, request }: LocalFileSystem): void {
    const fated = fate?.fileSystem?.(request);
    if (fated?.kind === 'never') return;
    core.later(CREATION_MS, () => {
      if (core.find(id)?.lifecycle !== 'CREATING') return;
      if (fated) return core.change(id, { lifecycle: 'FAILED', failure: fated.message });
      core.change(id, { lifecycle: 'AVAILABLE' });
      available(id);
    });
  }

  const deleteFileSystem: FsxApi['deleteFileSystem'] = async (request) => {
    checkToken(request);
    checkFileSystemId(request.FileSystemId);
    const { fileSystemId, lifecycle } = core.get(request.FileSystemId);
    if (lifecycle === 'CREATING' && !parts.deletesWhileCreating) {
      throw badRequest(`File system ${fileSystemId} is being created and cannot be deleted yet`);
    }
    if (isHeld(fileSystemId)) {
      throw badRequest(`File system ${fileSystemId} has a data repository task that is not over`);
    }
    if (lifecycle !== 'DELETING') core.change(fileSystemId, { lifecycle: 'DELETING' });
    if (lifecycle !== 'DELETING') goDown(fileSystemId);
    return { FileSystemId: fileSystemId, Lifecycle: 'DELETING' };
  };

  const goDown = (id: string) => core.later(DELETION_MS, () => core.forget(id));

  const tagResource: FsxApi['tagResource'] = async ({ ResourceARN, Tags }) => {
    checkTags(Tags);
    const found = core.all().find(({ fileSystemId }) => arnOf(fileSystemId) === ResourceARN);
    if (!found) throw new FsxError('ResourceNotFound', `No resource ${ResourceARN}`);
    const others = found.tags.filter(({ Key }) => !Tags.some((each) => each.Key === Key));
    core.change(found.fileSystemId, { tags: [...others, ...Tags] });
    return {};
  };

  const shown = (each: LocalFileSystem): FsxFileSystem => ({
    FileSystemId: each.fileSystemId,
    ResourceARN: arnOf(each.fileSystemId),
    CreationTime: new Date(each.createdAt),
    Lifecycle: each.lifecycle,
    ...(each.failure !== undefined && { FailureDetails: { Message: each.failure } }),
    StorageCapacity: each.request.StorageCapacity,
    FileSystemTypeVersion: each.request.FileSystemTypeVersion ?? '2.10',
    LustreConfiguration: { MountName: each.mountName, DeploymentType: 'SCRATCH_2' },
    Tags: each.tags,
  });

  return {
    createFileSystem,
    deleteFileSystem,
    tagResource,
    shown,
    arnOf,
    resume(fileSystem) {
      if (fileSystem.lifecycle === 'CREATING') comeUp(fileSystem);
      if (fileSystem.lifecycle === 'DELETING') goDown(fileSystem.fileSystemId);
      if (fileSystem.lifecycle === 'AVAILABLE') available(fileSystem.fileSystemId);
    },
    fail: (id, failure) => core.change(id, { lifecycle: 'FAILED', failure }),
  };
}
