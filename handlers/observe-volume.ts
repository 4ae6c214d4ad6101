import {
  afterLoss,
  EbsVolumeNotification,
  nextLook,
  ReleaseStarted,
  type Run,
  StopRequested,
  StorageFailed,
  StorageLost,
  VISIBLE_WITHIN_MS,
  VolumeAvailable,
} from '../events';
import { again, conclude, ignore, look, observer, type Volume } from './lib';

/** Looks at the run's volume. EBS notification, probe → VolumeAvailable | StorageFailed | StorageLost. */
export const observeVolume = observer({
  name: 'observe-volume',
  on: EbsVolumeNotification,
  watches: ['provisioning', 'ready', 'running', 'retained'],
  uses: ['volumes'],
  emits: [VolumeAvailable, StorageFailed, StorageLost, StopRequested, ReleaseStarted],

  decide({ status, storage }) {
    if (storage.kind !== 'volume') return ignore('the storage is a file system');
    if (!storage.id) return ignore('no volume yet');
    if (storage.over) return ignore(`volume is ${storage.over}`);
    if (status === 'releasing') return ignore('the volume is being given back');
    return look(storage.id);
  },

  look: (volumeId, { volumes }) => volumes.describe([volumeId]),

  judge([volume], run, now) {
    const isUsable = volume?.state === 'available' || volume?.state === 'in-use';
    if (run.status !== 'provisioning') {
      if (isUsable || mayAppear(volume, run, now)) return ignore('volume is there');
      const reason = `volume ${run.storage.id} is ${volume?.state ?? 'gone'}, and nobody here did that`;
      const unseen = volume === undefined;
      return conclude(StorageLost.of({ reason, unseen }), ...afterLoss(run, reason));
    }
    if (volume && isUsable) {
      return conclude(VolumeAvailable.of({ volumeId: volume.volumeId, zone: volume.zone }));
    }
    if (volume?.state === 'creating' || mayAppear(volume, run, now)) {
      return again(nextLook(run, now));
    }
    const reason = `volume ${run.storage.id} is ${volume?.state ?? 'gone'} instead of available`;
    return conclude(
      StorageFailed.of({ reason }),
      ReleaseStarted.of({ verdict: { kind: 'failed', reason } }),
    );
  },
});

/** EC2 may not show yet what it has just made. */
function mayAppear(volume: Volume | undefined, run: Run, now: number): boolean {
  const requestedAt = Date.parse(run.storage.requestedAt ?? run.since);
  return volume === undefined && now < requestedAt + VISIBLE_WITHIN_MS;
}
