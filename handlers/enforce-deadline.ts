import {
  ACTIVE_STATUSES,
  afterDeadline,
  DeadlinePassed,
  ExportRequested,
  ReleaseStarted,
  StopRequested,
  StorageRetained,
} from '../events';
import { conclude, ignore, reaction } from './lib';

/** Leads a run out of a status it was in for too long. Probe → DeadlinePassed, and what follows. */
export const enforceDeadline = reaction({
  name: 'enforce-deadline',
  watches: ACTIVE_STATUSES,
  uses: [],
  emits: [DeadlinePassed, StopRequested, ReleaseStarted, StorageRetained, ExportRequested],

  decide(run, _event, now) {
    const drafts = afterDeadline(run, now);
    return drafts.length > 0 ? conclude(...drafts) : ignore('in time');
  },
});
