import {
  type Cause,
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
    const cause = causeOf(detail);
    const isSame = run.fingerprint === fingerprintOf(detail);
    if (isSame && !isOtherUpload(cause, run.cause)) return ignore('the same request came before');
    if (hasAnswered(run, derivedId)) return ignore('this request was answered before');
    const reason = isSame
      ? `the same request came before: it is run ${run.id}`
      : `another request came under the id ${run.id}, which is taken: choose another runId`;
    const ids = { requestId: derivedId, rejectedAs: derivedId };
    return conclude(RequestRefused.of({ request: 'RunRequested', reason, ...ids, cause }));
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

/** Each uploaded object gets an answer of its own, though it says the same as another one. */
function isOtherUpload(cause: Cause | undefined, known: Cause | undefined): boolean {
  if (!cause || !('upload' in cause)) return false;
  if (!known || !('upload' in known)) return true;
  return cause.upload.bucket !== known.upload.bucket || cause.upload.key !== known.upload.key;
}
