import {
  anyOf,
  EbsVolumeNotification,
  isToBeKept,
  JobsEnded,
  mayBeAlive,
  ReleaseStarted,
  StorageReleased,
} from '../events';
import { afterRelease, ignore, proceed, reaction } from './lib';

/**
 * Whoever has the volume of a run attached in which nobody was at work is waited for so long, with the
 * alarm of a release that is overdue: the table may have been restored, and know less than it should.
 */
const STRANGER_MS = 24 * 3_600_000;

/** Gives the run's volume back, a step at a time. ReleaseStarted, EBS notification, probe → StorageReleased. */
export const releaseVolume = reaction({
  name: 'release-volume',
  on: anyOf<unknown>(ReleaseStarted, JobsEnded, EbsVolumeNotification),
  watches: ['releasing'],
  uses: ['volumes'],
  emits: [StorageReleased],
  repeats: true,

  decide(run, _event, now) {
    const { id, status, storage } = run;
    const since = Date.parse(run.since);
    if (status !== 'releasing') return ignore(`run is ${status}`);
    if (storage.kind !== 'volume') return ignore('the storage is a file system');
    if (storage.over === 'released' || storage.over === 'kept')
      return ignore(`volume is ${storage.over}`);
    if (mayBeAlive(run)) return ignore('a job of it may be alive');
    if (isToBeKept(run)) return ignore('the volume is to be kept');
    return proceed(`${id}.release`, {
      runId: id,
      since: run.acceptedAt,
      mayDetach: Object.values(run.jobs).some(({ ran }) => ran) || now >= since + STRANGER_MS,
      volumeId: storage.id,
    });
  },

  act: (wanted, _key, { volumes }) => volumes.release(wanted),

  record: afterRelease,
});
