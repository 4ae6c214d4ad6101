import {
  fingerprintOf,
  RequestRefused,
  RunAccepted,
  RunRejected,
  RunRequested,
  readRequest,
  StorageRequested,
  storageWanted,
} from '../events';
import { begin, changeOf, conclude, ignore, look, opener } from './lib';

/** Judges a request. RunRequested → RunAccepted + StorageRequested | RunRejected; a taken id: RequestRefused. */
export const acceptRun = opener({
  name: 'accept-run',
  on: RunRequested,
  watches: [],
  uses: ['settings'],
  emits: [RunAccepted, StorageRequested, RunRejected, RequestRefused],

  decide(run, { about, data }) {
    if (!('runId' in about) || !('detail' in data)) return ignore('not a request');
    const { detail, derivedId } = data;
    if (!run) return look({ runId: about.runId, detail });
    if (run.fingerprint === fingerprintOf(detail)) return ignore('the same request came before');
    if (run.lastAnswered === derivedId) return ignore('this request was answered before');
    return conclude(
      RequestRefused.of({
        request: 'RunRequested',
        reason: `another request came under the id ${run.id}, which is taken: choose another runId`,
        requestId: derivedId,
        rejectedAs: derivedId,
      }),
    );
  },

  look: async (request, { settings }) => ({ ...request, settings: await settings.read() }),

  judge({ runId, detail, settings }, _run, now) {
    const judged = readRequest(runId, detail, settings);
    const fingerprint = fingerprintOf(detail);
    if (!judged.ok) {
      return begin(judged.mode, RunRejected.of({ reason: judged.reason, fingerprint }));
    }
    const { mode, parameters, jobs, results } = judged.wanted;
    const accepted = RunAccepted.of({ parameters, jobs: [...jobs], results, fingerprint });
    const { run } = changeOf(undefined, { runId, mode, drafts: [accepted], now });
    return begin(mode, accepted, storageWanted(run));
  },
});
