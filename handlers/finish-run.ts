import {
  anyOf,
  endOf,
  RunCancelled,
  RunFailed,
  RunSucceeded,
  StorageKept,
  StorageReleased,
} from '../events';
import { conclude, ignore, reaction } from './lib';

/** Closes a run whose storage is settled. StorageReleased, StorageKept → RunSucceeded | RunFailed | RunCancelled. */
export const finishRun = reaction({
  name: 'finish-run',
  on: anyOf<unknown>(StorageReleased, StorageKept),
  watches: ['releasing'],
  uses: [],
  emits: [RunSucceeded, RunFailed, RunCancelled],

  decide(run) {
    if (run.status !== 'releasing') return ignore(`run is ${run.status}`);
    const { over } = run.storage;
    if (over !== 'released' && over !== 'kept') return ignore('the storage is still there');
    return conclude(endOf(run));
  },
});
