import { acceptRun } from './accept-run';
import { answerUpload } from './answer-upload';
import { cancelRun } from './cancel-run';
import { createExportTask } from './create-export-task';
import { createFileSystem } from './create-file-system';
import { createVolume } from './create-volume';
import { disableAutoExport } from './disable-auto-export';
import { discardFileSystem } from './discard-file-system';
import { enforceDeadline } from './enforce-deadline';
import { findJob } from './find-job';
import { finishRun } from './finish-run';
import { keepFileSystem } from './keep-file-system';
import { keepVolume } from './keep-volume';
import type { Handler } from './lib';
import { linkRepository } from './link-repository';
import { observeExport } from './observe-export';
import { observeExportQueue } from './observe-export-queue';
import { observeFileSystem } from './observe-file-system';
import { observeJob } from './observe-job';
import { observeVolume } from './observe-volume';
import { rejectRun } from './reject-run';
import { releaseFileSystem } from './release-file-system';
import { releaseRun } from './release-run';
import { releaseVolume } from './release-volume';
import { requestJob } from './request-job';
import { requestStorage } from './request-storage';
import { resumeRun } from './resume-run';
import { stopJobs } from './stop-jobs';
import { submitJob } from './submit-job';

export * from './lib';

/** Every handler there is: the simulator runs them, the catalogue lists them, the stack deploys them. */
export const HANDLERS: readonly Handler[] = [
  acceptRun,
  rejectRun,
  answerUpload,
  requestStorage,
  createVolume,
  observeVolume,
  createFileSystem,
  linkRepository,
  observeFileSystem,
  discardFileSystem,
  requestJob,
  submitJob,
  findJob,
  observeJob,
  stopJobs,
  enforceDeadline,
  observeExportQueue,
  disableAutoExport,
  createExportTask,
  observeExport,
  releaseVolume,
  keepVolume,
  releaseFileSystem,
  keepFileSystem,
  finishRun,
  cancelRun,
  resumeRun,
  releaseRun,
];
