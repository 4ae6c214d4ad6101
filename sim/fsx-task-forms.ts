import type { CreateTaskInput, FsxTask } from '../handlers/aws/fsx-api';

/** A task. It lasts as long as the process. */
export interface LocalTask {
  readonly taskId: string;
  readonly fileSystemId: string;
  readonly type: 'EXPORT_TO_REPOSITORY' | 'IMPORT_METADATA_FROM_REPOSITORY';
  readonly lifecycle: 'PENDING' | 'EXECUTING' | 'SUCCEEDED' | 'FAILED' | 'CANCELING' | 'CANCELED';
  readonly failure?: string;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly status?: NonNullable<FsxTask['Status']>;
  readonly request: Partial<CreateTaskInput>;
}

/** A file that a task could not bring. */
export interface FailedFile {
  readonly path: string;
  readonly errorCode: string;
}

/** The list of failed files, in the form REPORT_CSV_20191124. */
export function reportOf(failed: readonly FailedFile[]): string {
  const rows = failed.map(({ path, errorCode }) => [path, 'FAILED', errorCode]);
  return [['FilePath', 'FileStatus', 'ErrorCode'], ...rows].map(asCsv).join('');
}

function asCsv(values: readonly string[]): string {
  const quoted = values.map((value) =>
    /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value,
  );
  return `${quoted.join(',')}\n`;
}

/** A task as FSx shows it. */
export function shownTask(task: LocalTask): FsxTask {
  const dateOf = (at: number | undefined) => (at === undefined ? undefined : new Date(at));
  return {
    TaskId: task.taskId,
    FileSystemId: task.fileSystemId,
    Type: task.type,
    Lifecycle: task.lifecycle,
    Paths: task.request.Paths,
    CreationTime: new Date(task.createdAt),
    StartTime: dateOf(task.startedAt),
    EndTime: dateOf(task.endedAt),
    ...(task.failure !== undefined && { FailureDetails: { Message: task.failure } }),
    ...(task.status && { Status: task.status }),
    Tags: task.request.Tags,
  };
}
