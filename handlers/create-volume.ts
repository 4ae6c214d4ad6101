import {
  afterRefusal,
  parameterOf,
  ReleaseStarted,
  StorageDeferred,
  StorageFailed,
  StorageRequested,
  VolumeCreated,
} from '../events';
import { conclude, ignore, proceed, reaction } from './lib';

/** Asks AWS for the run's volume. StorageRequested → VolumeCreated | StorageDeferred | StorageFailed. */
export const createVolume = reaction({
  name: 'create-volume',
  on: StorageRequested,
  watches: ['provisioning'],
  uses: ['volumes'],
  emits: [VolumeCreated, StorageDeferred, StorageFailed, ReleaseStarted],

  decide(run) {
    const { id, status, storage } = run;
    if (status !== 'provisioning') return ignore(`run is ${status}`);
    if (storage.kind !== 'volume') return ignore('the storage is a file system');
    if (storage.id) return ignore('volume exists');
    // An id may come again after its run has expired; its storage must be another one.
    const birth = Date.parse(run.acceptedAt).toString(36);
    return proceed(`${id}.storage-${birth}.${storage.tries}`, {
      runId: id,
      zone: storage.zone,
      sizeGib: storage.sizeGib,
      iops: parameterOf(run, 'ebsIOPS'),
      throughputMibps: parameterOf(run, 'ebsThroughput'),
    });
  },

  // The key is the client token: a creation whose answer got lost is found again, not repeated.
  act: (wanted, clientToken, { volumes }) => volumes.create({ clientToken, ...wanted }),

  record(created, run, now) {
    if (run.storage.id) return ignore('volume exists');
    if (!created.ok) return conclude(...afterRefusal(run, created, now));
    return conclude(VolumeCreated.of({ volumeId: created.volumeId, zone: created.zone }));
  },
});
