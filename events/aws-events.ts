import * as z from 'zod';
import { type Contract, readDetail } from './contract';
import { BATCH_JOB_PREFIX, runOfBatchJob } from './jobs';

/** What EBS says of a volume: only that something happened. The volume's state is asked of EC2. */
export interface VolumeNotified {
  readonly event: string;
  readonly result: string;
}

const volumeArn = /:volume\/(vol-[0-9a-f]{8,17})$/;
const notification = z.object({ event: z.string(), result: z.string() });

/**
 * EBS Volume Notification (best effort). It has no tags, so the pattern cannot tell our volumes
 * from others: the store does, by the volume id, which stands in `resources` alone.
 */
export const EbsVolumeNotification: Contract<VolumeNotified> = {
  types: ['EBS Volume Notification'],
  patterns: [
    {
      source: ['aws.ec2'],
      'detail-type': ['EBS Volume Notification'],
      detail: { event: ['createVolume', 'deleteVolume'] },
    },
  ],
  parse({ resources, detail }) {
    const ids = (resources ?? []).map((arn) => volumeArn.exec(arn)?.[1]);
    const [storageId] = ids.filter((id) => id !== undefined);
    if (!storageId)
      throw new Error(`no volume among the resources ${(resources ?? []).join(', ')}`);
    return {
      type: 'EBS Volume Notification',
      about: { storageId },
      data: readDetail('EBS Volume Notification', notification, detail),
    };
  },
};

/** An object that somebody has put into a bucket. */
export interface ObjectCreated {
  readonly bucket: string;
  /** As it is: unlike those of S3's own notifications, keys on EventBridge are not URL-encoded. */
  readonly key: string;
  /** Hexadecimal; orders the events of one key. */
  readonly sequencer: string;
}

const objectDetail = z.object({
  bucket: z.object({ name: z.string() }),
  object: z.object({ key: z.string(), sequencer: z.string() }),
});

/**
 * Object Created (at least once, in any order). Which bucket is ours the contract cannot know: whoever
 * makes a rule of it adds the bucket and the prefixes, and the reader checks them again.
 */
export const S3ObjectCreated: Contract<ObjectCreated> = {
  types: ['Object Created'],
  patterns: [
    {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
    },
  ],
  parse({ detail }) {
    const { bucket, object } = readDetail('Object Created', objectDetail, detail);
    const { key, sequencer } = object;
    // About no run yet: what is uploaded becomes a request first.
    return {
      type: 'Object Created',
      about: { runId: '' },
      data: { bucket: bucket.name, key, sequencer },
    };
  },
};

/** What Batch says of a job: only that it moved. The job itself is asked of Batch. */
export interface BatchJobMoved {
  readonly jobId: string;
  readonly status: string;
}

const jobDetail = z.object({ jobName: z.string(), jobId: z.string(), status: z.string() });

/**
 * Batch Job State Change (delivered at least once, in any order, not for the submission itself).
 * Array children are left out: their parent speaks for them.
 */
export const BatchJobMovedEvent: Contract<BatchJobMoved> = {
  types: ['Batch Job State Change'],
  patterns: [
    {
      source: ['aws.batch'],
      'detail-type': ['Batch Job State Change'],
      detail: {
        jobName: [{ prefix: `${BATCH_JOB_PREFIX}-` }],
        arrayProperties: { index: [{ exists: false }] },
      },
    },
  ],
  parse({ detail }) {
    const { jobName, jobId, status } = readDetail('Batch Job State Change', jobDetail, detail);
    const runId = runOfBatchJob(jobName);
    // A stranger's job whose name begins like ours is no defect: it is about a run nobody has.
    return {
      type: 'Batch Job State Change',
      about: { runId: runId ?? '' },
      data: { jobId, status },
    };
  },
};
