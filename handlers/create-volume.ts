import {
  parameterOf,
  ReleaseStarted,
  StorageDeferred,
  StorageFailed,
  StorageRequested,
  VolumeCreated,
} from '../events';
import { conclude, ignore, proceed, reaction } from './lib';

const RETRY_MS = 60_000;
const RETRY_MS_MAX = 15 * 60_000;

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
    return proceed(`${id}.storage.${storage.tries}`, {
      runId: id,
      zone: storage.zone,
      sizeGib: storage.sizeGib,
      iops: parameterOf(run, 'ebsIOPS'),
      throughputMibps: parameterOf(run, 'ebsThroughput'),
    });
  },

  // The key is the client token: a creation whose answer got lost is found again, not repeated.
  act: (wanted, clientToken, { volumes }) => volumes.create({ clientToken, ...wanted }),

  record(created, { storage: { id, tries } }, now) {
    if (id) return ignore('volume exists');
    if (created.ok) {
      return conclude(VolumeCreated.of({ volumeId: created.volumeId, zone: created.zone }));
    }
    const { reason } = created;
    if (created.noRoom) {
      const wait = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** (tries - 1));
      const retryAt = new Date(now + wait).toISOString();
      return conclude(StorageDeferred.of({ reason, retryAt }));
    }
    return conclude(
      StorageFailed.of({ reason }),
      ReleaseStarted.of({ verdict: { kind: 'failed', reason } }),
    );
  },
});
