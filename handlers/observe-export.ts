import {
  afterExport,
  afterExportFailure,
  ExportFailed,
  ExportTaskCompleted,
  exportStep,
  ReleaseStarted,
  type Run,
  reportPathOf,
  StorageRetained,
  taskLook,
  VISIBLE_WITHIN_MS,
} from '../events';
import { again, conclude, exportNewsOf, ignore, look, observer } from './lib';

/** Looks at the export task: the proof, or the failure. Probe → ExportTaskCompleted + ReleaseStarted | ExportFailed. */
export const observeExport = observer({
  name: 'observe-export',
  watches: ['exporting'],
  uses: ['fileSystems'],
  emits: [ExportTaskCompleted, ReleaseStarted, ExportFailed, StorageRetained],

  decide(run, _event, now) {
    if (run.status !== 'exporting') return ignore(`run is ${run.status}`);
    const taskId = run.export?.taskId;
    if (exportStep(run, now) !== 'wait' || !taskId) return ignore('no task is under way');
    return run.storage.id ? look({ fileSystemId: run.storage.id, taskId }) : ignore('no storage');
  },

  async look({ fileSystemId, taskId }, { fileSystems }) {
    const [seen] = await fileSystems.inspect([fileSystemId]);
    return {
      taskId,
      isThere: seen !== undefined,
      task: seen?.tasks.find((each) => each.taskId === taskId),
    };
  },

  judge({ taskId, isThere, task }, run, now) {
    if (run.export?.taskId !== taskId) return ignore('the export has moved on');
    // The loss of the file system is somebody else's to tell.
    if (!isThere || (!task && mayAppear(run, now))) return again(taskLook(run, now));
    if (!task) {
      const reason = 'FSx does not know the export task any more';
      return conclude(...afterExportFailure(run, { reason, taskId }, now));
    }
    const news = exportNewsOf(task);
    if (news.kind === 'under-way') return again(taskLook(run, now, news.progress));
    if (news.kind === 'proven') {
      const { exportedCount } = news;
      return conclude(ExportTaskCompleted.of({ taskId, exportedCount }), ...afterExport(run));
    }
    const { reason, hasReport } = news;
    const report = hasReport ? `${reportPathOf(run)}/${taskId}/failures.csv` : undefined;
    return conclude(...afterExportFailure(run, { reason, taskId, report }, now));
  },
});

/** FSx may not show yet what it has just made. */
function mayAppear(run: Run, now: number): boolean {
  return now < Date.parse(run.export?.taskCreatedAt ?? run.since) + VISIBLE_WITHIN_MS;
}
