import { acceptRun } from './accept-run';
import { cancelRun } from './cancel-run';
import { createVolume } from './create-volume';
import { enforceDeadline } from './enforce-deadline';
import { findJob } from './find-job';
import { finishRun } from './finish-run';
import { keepVolume } from './keep-volume';
import type { Handler } from './lib';
import { observeJob } from './observe-job';
import { observeVolume } from './observe-volume';
import { rejectRun } from './reject-run';
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
  requestStorage,
  createVolume,
  observeVolume,
  requestJob,
  submitJob,
  findJob,
  observeJob,
  stopJobs,
  enforceDeadline,
  releaseVolume,
  keepVolume,
  finishRun,
  cancelRun,
  resumeRun,
  releaseRun,
];
