import {
  afterRefusal,
  FileSystemCreated,
  parameterOf,
  ReleaseStarted,
  StorageDeferred,
  StorageFailed,
  StorageRequested,
} from '../events';
import { conclude, ignore, proceed, reaction } from './lib';

/** Asks AWS for the run's file system. StorageRequested → FileSystemCreated | StorageDeferred | StorageFailed. */
export const createFileSystem = reaction({
  name: 'create-file-system',
  on: StorageRequested,
  watches: ['provisioning'],
  uses: ['fileSystems'],
  emits: [FileSystemCreated, StorageDeferred, StorageFailed, ReleaseStarted],

  decide(run) {
    const { id, mode, status, storage } = run;
    if (status !== 'provisioning') return ignore(`run is ${status}`);
    if (storage.kind !== 'fileSystem') return ignore('the storage is a volume');
    if (storage.id) return ignore('file system exists');
    // An id may come again after its run has expired; its storage must be another one.
    const birth = Date.parse(run.acceptedAt).toString(36);
    return proceed(`${id}.storage-${birth}.${storage.tries}`, {
      runId: id,
      mode,
      zone: storage.zone,
      sizeGib: storage.sizeGib,
      version: parameterOf(run, 'lustreFileSystemTypeVersion'),
    });
  },

  // The key is the client token: a creation whose answer got lost is found again, not repeated.
  act: (wanted, clientToken, { fileSystems }) => fileSystems.create({ clientToken, ...wanted }),

  record(created, run, now) {
    if (run.storage.id) return ignore('file system exists');
    if (!created.ok) return conclude(...afterRefusal(run, created, now));
    const { fileSystemId, mountName } = created;
    return conclude(FileSystemCreated.of({ fileSystemId, mountName }));
  },
});
