import {
  AutoExportDisabled,
  afterExport,
  afterExportFailure,
  drainedSince,
  ExportFailed,
  ExportQueueDrained,
  exportStep,
  nextLook,
  parameterOf,
  queueWindow,
  ReleaseStarted,
  RepositoryMisconfigured,
  RepositoryRecovered,
  SCRATCH,
  StorageRetained,
} from '../events';
import { again, conclude, ignore, look, observer, sentenceOf } from './lib';

/** Looks whether auto-export has anything waiting. Probe → ExportQueueDrained, and ReleaseStarted where that is the proof. */
export const observeExportQueue = observer({
  name: 'observe-export-queue',
  watches: ['exporting'],
  uses: ['metrics', 'fileSystems'],
  emits: [
    ExportQueueDrained,
    ReleaseStarted,
    RepositoryMisconfigured,
    RepositoryRecovered,
    AutoExportDisabled,
    ExportFailed,
    StorageRetained,
  ],

  decide(run, _event, now) {
    if (run.status !== 'exporting') return ignore(`run is ${run.status}`);
    if (exportStep(run, now) !== 'drain') return ignore('nobody waits for the export queue');
    if (!run.storage.id) return ignore('there is no file system');
    return look({ fileSystemId: run.storage.id, ...queueWindow(run, now) });
  },

  async look(window, { metrics, fileSystems }) {
    const [seen] = await fileSystems.inspect([window.fileSystemId]);
    return { seen, points: await metrics.exportQueueAge(window) };
  },

  judge({ seen, points }, run, now) {
    const { id: fileSystemId, links, misconfigured } = run.storage;
    if (!fileSystemId || exportStep(run, now) !== 'drain') return ignore('the export has moved on');
    const own = links?.[SCRATCH];
    const association = seen?.associations.find(({ associationId }) => associationId === own);
    // While FSx cannot reach S3 the export stands still, and a queue says nothing.
    switch (association?.lifecycle) {
      case 'AVAILABLE':
        break;
      case 'MISCONFIGURED': {
        if (misconfigured) return again(nextLook(run, now));
        const reason = sentenceOf(association);
        return conclude(RepositoryMisconfigured.of({ path: SCRATCH, reason }));
      }
      case 'FAILED':
        return conclude(...afterExportFailure(run, { reason: sentenceOf(association) }, now));
      default:
        return again(nextLook(run, now));
    }
    if (misconfigured) return conclude(RepositoryRecovered.of({ path: SCRATCH }));
    // Nothing goes into a queue that somebody has switched off: then a task brings the proof.
    if (!association.autoExports) return conclude(AutoExportDisabled.of({ fileSystemId }));
    const since = drainedSince(run, points, now);
    if (since === undefined) return again(nextLook(run, now));
    const drainedAt = new Date(since).toISOString();
    const drained = ExportQueueDrained.of({ fileSystemId, drainedAt });
    const isProof = parameterOf(run, 'exportProof') === 'metrics';
    return conclude(drained, ...(isProof ? afterExport(run) : []));
  },
});
