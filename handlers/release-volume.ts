import {
  anyOf,
  EbsVolumeNotification,
  isToBeKept,
  JobsEnded,
  mayBeAlive,
  nextLook,
  ReleaseStarted,
  StorageReleased,
  VISIBLE_WITHIN_MS,
} from '../events';
import { again, conclude, ignore, proceed, reaction } from './lib';

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

  record(released, run, now) {
    const { requestedAt, availableAt, id } = run.storage;
    if (released.kind === 'going') return again(nextLook(run, now));
    // A volume that was asked for a moment ago, and never seen, may exist and not be shown yet.
    const shownBy = requestedAt ? Date.parse(requestedAt) + VISIBLE_WITHIN_MS : 0;
    if (!availableAt && now < shownBy) return again(shownBy);
    return conclude(StorageReleased.of({ storageId: id }));
  },
});
