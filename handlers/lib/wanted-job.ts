import { batchJobName, commandOf, INPUT, type Job, linksOf, type Run } from '../../events';
import type { WantedJob } from './ports';

/** A job of a run in the words of its submission: all that Batch and the host must know. */
export function wantedOf(run: Run, job: Job): WantedJob {
  const { id, storage, results, cause } = run;
  const upload = cause && 'upload' in cause ? cause.upload : undefined;
  return {
    jobName: batchJobName(id, job.name, job.submission),
    runId: id,
    zone: storage.zone,
    storage: storageName(run),
    results,
    submission: job.submission,
    // The command is complete, and nobody has to know of parameters any more.
    spec: { ...job, command: commandOf(job), parameters: undefined },
    nToN: awaited(run, job),
    upload: upload && `s3://${upload.bucket}/${upload.key}`,
    hasInput: storage.kind === 'fileSystem' && linksOf(run).some(({ path }) => path === INPUT),
  };
}

/** How a submission names the storage to its host. */
function storageName({ storage: { id = '', mountName } }: Run): string {
  return mountName ? `${id}@${mountName}` : id;
}

/** Who has succeeded need not be waited for, and Batch may have forgotten it. */
function awaited({ jobs }: Run, { nToN = [] }: Job): readonly string[] {
  return nToN.flatMap((name) => {
    const other = jobs[name];
    return other?.jobId && other.status !== 'SUCCEEDED' ? [other.jobId] : [];
  });
}
