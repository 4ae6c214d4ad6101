import {
  afterRefusal,
  anyOf,
  FileSystemCreated,
  missingLink,
  parameterOf,
  ReleaseStarted,
  RepositoryLinked,
  StorageDeferred,
  StorageFailed,
} from '../events';
import { conclude, ignore, proceed, reaction } from './lib';

/** Ties the file system to S3, one path at a time. FileSystemCreated, RepositoryLinked → RepositoryLinked | StorageFailed. */
export const linkRepository = reaction({
  name: 'link-repository',
  on: anyOf<unknown>(FileSystemCreated, RepositoryLinked),
  watches: ['provisioning'],
  uses: ['fileSystems'],
  emits: [RepositoryLinked, StorageDeferred, StorageFailed, ReleaseStarted],

  decide(run) {
    const { id, status, storage } = run;
    if (status !== 'provisioning') return ignore(`run is ${status}`);
    if (storage.kind !== 'fileSystem') return ignore('the storage is a volume');
    if (!storage.id) return ignore('no file system yet');
    const link = missingLink(run);
    if (!link) return ignore('every path is linked');
    // Of another life of the same id the file system was another one.
    const birth = Date.parse(run.acceptedAt).toString(36);
    return proceed(`${id}.${link.path.slice(1)}-${birth}.${storage.tries}`, {
      runId: id,
      fileSystemId: storage.id,
      link,
      chunkSizeMib: parameterOf(run, 'lustreImportedFileChunkSize'),
    });
  },

  // FSx takes an association while it is still creating the file system, and queues it.
  async act(wanted, clientToken, { fileSystems }) {
    const { path, direction } = wanted.link;
    const linked = await fileSystems.link({ clientToken, ...wanted });
    return { ...linked, fileSystemId: wanted.fileSystemId, path, direction };
  },

  record(linked, run, now) {
    const { path, direction, fileSystemId } = linked;
    if (run.storage.id !== fileSystemId || run.storage.links?.[path]) {
      return ignore('the path is linked, or its file system was given up');
    }
    if (linked.ok) {
      return conclude(
        RepositoryLinked.of({ associationId: linked.associationId, path, direction }),
      );
    }
    const reason = `${path} could not be linked to S3: ${linked.reason}`;
    return conclude(...afterRefusal(run, { noRoom: false, reason }, now));
  },
});
