import {
  causeOf,
  fingerprintOf,
  hasAnswered,
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
  uses: ['settings', 'claims'],
  emits: [RunAccepted, StorageRequested, RunRejected, RequestRefused],

  decide(run, { about, data }) {
    if (!('runId' in about) || !('detail' in data)) return ignore('not a request');
    const { detail, derivedId } = data;
    if (!run) return look({ runId: about.runId, detail });
    if (run.fingerprint === fingerprintOf(detail)) return ignore('the same request came before');
    if (hasAnswered(run, derivedId)) return ignore('this request was answered before');
    return conclude(
      RequestRefused.of({
        request: 'RunRequested',
        reason: `another request came under the id ${run.id}, which is taken: choose another runId`,
        requestId: derivedId,
        rejectedAs: derivedId,
        cause: causeOf(detail),
      }),
    );
  },

  async look({ runId, detail }, { settings, claims }) {
    const judged = readRequest(runId, detail, await settings.read());
    const repositoryPath = judged.ok ? judged.wanted.parameters.dataRepositoryPath : undefined;
    // Only a good request may take a place, and it has it before the run is there.
    const holder = repositoryPath && (await claims.take({ runId, repositoryPath }));
    return { runId, detail, judged, holder };
  },

  judge({ runId, detail, judged, holder }, _run, now) {
    const told = { fingerprint: fingerprintOf(detail), cause: causeOf(detail) };
    if (!judged.ok) return begin(judged.mode, RunRejected.of({ reason: judged.reason, ...told }));
    const { mode, parameters, sources, jobs, results } = judged.wanted;
    if (holder) {
      const reason = `dataRepositoryPath ${parameters.dataRepositoryPath} overlaps the place of run ${holder}, which is not over: wait for its end, or name another place`;
      return begin(mode, RunRejected.of({ reason, ...told }));
    }
    const accepted = RunAccepted.of({ parameters, sources, jobs: [...jobs], results, ...told });
    const { run } = changeOf(undefined, { runId, mode, drafts: [accepted], now });
    return begin(mode, accepted, storageWanted(run));
  },
});
