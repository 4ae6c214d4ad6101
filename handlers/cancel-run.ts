import {
  afterCancel,
  ExportRequested,
  fieldsOf,
  hasAnswered,
  ReleaseStarted,
  RequestRefused,
  RunCancelRequested,
  StopRequested,
  StorageRetained,
} from '../events';
import { conclude, ignore, reaction } from './lib';

/** Enough for a sentence; what somebody sends may be of any length. */
const REASON_MAX = 300;

/** Answers the wish to stop a run. RunCancelRequested → StopRequested | ReleaseStarted | … | RequestRefused. */
export const cancelRun = reaction({
  name: 'cancel-run',
  on: RunCancelRequested,
  watches: [],
  uses: [],
  emits: [StopRequested, ReleaseStarted, StorageRetained, ExportRequested, RequestRefused],

  decide(run, { data }, now) {
    if (!('detail' in data)) return ignore('not a request');
    const { detail, derivedId: requestId } = data;
    if (hasAnswered(run, requestId)) return ignore('this request was answered before');
    const said = fieldsOf(detail)?.reason;
    const reason = typeof said === 'string' && said !== '' ? said : 'somebody asked for it';
    return conclude(...afterCancel(run, { reason: reason.slice(0, REASON_MAX), requestId }, now));
  },
});
