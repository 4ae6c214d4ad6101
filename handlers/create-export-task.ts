import {
  AutoExportDisabled,
  afterExportFailure,
  anyOf,
  ExportFailed,
  ExportRequested,
  ExportTaskCreated,
  exportStep,
  JobsEnded,
  nextLook,
  reportPathOf,
  SCRATCH,
  StorageRetained,
} from '../events';
import { again, conclude, ignore, proceed, reaction } from './lib';

/** Starts the task that brings results to S3 and proves it. ExportRequested, AutoExportDisabled, probe → ExportTaskCreated | ExportFailed. */
export const createExportTask = reaction({
  name: 'create-export-task',
  on: anyOf<unknown>(ExportRequested, JobsEnded, AutoExportDisabled),
  watches: ['exporting'],
  uses: ['fileSystems'],
  emits: [ExportTaskCreated, ExportFailed, StorageRetained],
  // "Busy" is no outcome to keep; the token makes the repetition harmless.
  repeats: true,

  decide(run, _event, now) {
    const { id, status, storage } = run;
    if (status !== 'exporting') return ignore(`run is ${status}`);
    const step = exportStep(run, now);
    if (step !== 'task') return ignore(`the export has to ${step}`);
    const asked = run.export;
    if (!storage.id || !asked) return ignore('there is nothing to export');
    // A resumed run exports again, and must not be handed the task of the time before.
    const round = Date.parse(asked.requestedAt).toString(36);
    return proceed(`${id}.export-${round}.${asked.tries}`, {
      runId: id,
      fileSystemId: storage.id,
      path: SCRATCH,
      reportPath: reportPathOf(run),
    });
  },

  act: (wanted, clientToken, { fileSystems }) =>
    fileSystems.startExport({ clientToken, ...wanted }),

  record(started, run, now) {
    if (exportStep(run, now) !== 'task') return ignore('another delivery has recorded it');
    if (started.ok) return conclude(ExportTaskCreated.of({ taskId: started.taskId }));
    if (started.isBusy) return again(nextLook(run, now));
    const reason = `FSx refused the export task: ${started.reason}`;
    return conclude(...afterExportFailure(run, { reason }, now));
  },
});
