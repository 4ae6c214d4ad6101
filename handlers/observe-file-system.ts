import {
  afterLoss,
  afterRefusal,
  FileSystemAvailable,
  nextLook,
  ReleaseStarted,
  RepositoryMisconfigured,
  RepositoryRecovered,
  StopRequested,
  StorageDeferred,
  StorageFailed,
  StorageLost,
} from '../events';
import { again, conclude, hasRecovered, ignore, look, lossOf, observer, readinessOf } from './lib';

/** Looks at the run's file system, its links and its import. Probe → FileSystemAvailable | StorageFailed | StorageLost | … */
export const observeFileSystem = observer({
  name: 'observe-file-system',
  watches: ['provisioning', 'ready', 'running', 'exporting', 'retained'],
  uses: ['fileSystems'],
  emits: [
    FileSystemAvailable,
    RepositoryMisconfigured,
    RepositoryRecovered,
    StorageDeferred,
    StorageFailed,
    StorageLost,
    StopRequested,
    ReleaseStarted,
  ],

  decide({ status, storage }) {
    if (storage.kind !== 'fileSystem') return ignore('the storage is a volume');
    if (!storage.id) return ignore('no file system yet');
    if (storage.over) return ignore(`file system is ${storage.over}`);
    if (status === 'queued' || status === 'releasing') {
      return ignore('the file system is being given back');
    }
    return look(storage.id);
  },

  look: (fileSystemId, { fileSystems }) => fileSystems.inspect([fileSystemId]),

  judge([seen], run, now) {
    const { id: fileSystemId, misconfigured } = run.storage;
    if (!fileSystemId || (seen && seen.fileSystemId !== fileSystemId)) return ignore('not its own');
    if (run.status === 'queued' || run.status === 'releasing')
      return ignore(`run is ${run.status}`);
    if (run.status !== 'provisioning') {
      const reason = lossOf(seen, fileSystemId);
      if (!reason) return ignore('file system is there');
      const unseen = seen === undefined;
      return conclude(StorageLost.of({ reason, unseen }), ...afterLoss(run, reason));
    }
    const readiness = readinessOf(seen, run, now);
    switch (readiness.kind) {
      case 'usable':
        return conclude(FileSystemAvailable.of({ fileSystemId }));
      case 'refused':
        return conclude(...afterRefusal(run, { ...readiness, storageId: fileSystemId }, now));
      case 'misconfigured': {
        const { path, reason } = readiness;
        if (misconfigured?.path === path) return again(nextLook(run, now));
        return conclude(RepositoryMisconfigured.of({ path, reason }));
      }
      default:
        if (!misconfigured || !hasRecovered(seen, run)) return again(nextLook(run, now));
        return conclude(RepositoryRecovered.of({ path: misconfigured.path }));
    }
  },
});
