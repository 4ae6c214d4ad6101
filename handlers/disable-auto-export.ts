import {
  AutoExportDisabled,
  afterExportFailure,
  ExportFailed,
  ExportQueueDrained,
  exportStep,
  nextLook,
  SCRATCH,
  StorageRetained,
} from '../events';
import { again, conclude, ignore, proceed, reaction } from './lib';

/** Switches auto-export off, since no task may run beside it. ExportQueueDrained, probe → AutoExportDisabled | ExportFailed. */
export const disableAutoExport = reaction({
  name: 'disable-auto-export',
  on: ExportQueueDrained,
  watches: ['exporting'],
  uses: ['fileSystems'],
  emits: [AutoExportDisabled, ExportFailed, StorageRetained],
  repeats: true,

  decide(run, _event, now) {
    const { id, status, storage } = run;
    if (status !== 'exporting') return ignore(`run is ${status}`);
    const step = exportStep(run, now);
    if (step !== 'switch-off') return ignore(`the export has to ${step}`);
    const associationId = storage.links?.[SCRATCH];
    if (!storage.id || !associationId) return ignore('there is no association');
    return proceed(`${id}.switch-off`, { fileSystemId: storage.id, associationId });
  },

  act: (wanted, _key, { fileSystems }) => fileSystems.switchOffAutoExport(wanted),

  record(switched, run, now) {
    const { id: fileSystemId } = run.storage;
    if (!fileSystemId || exportStep(run, now) !== 'switch-off') return ignore('it is off already');
    if (switched.kind === 'off') return conclude(AutoExportDisabled.of({ fileSystemId }));
    if (switched.kind === 'updating') return again(nextLook(run, now));
    const reason = `auto-export could not be switched off: ${switched.reason}`;
    return conclude(...afterExportFailure(run, { reason }, now));
  },
});
