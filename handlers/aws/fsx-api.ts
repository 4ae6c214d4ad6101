/**
 * What we call of FSx, in AWS's own words: the part of the SDK's aggregated client `FSx` that the
 * adapter uses and the twin plays. The SDK's client is one of these, without a cast.
 */
export interface FsxApi {
  createFileSystem(input: CreateFileSystemInput): Promise<{ readonly FileSystem?: FsxFileSystem }>;
  describeFileSystems(input: {
    /** At most 50. */
    readonly FileSystemIds?: string[];
    readonly MaxResults?: number;
    readonly NextToken?: string;
  }): Promise<{ readonly FileSystems?: readonly FsxFileSystem[]; readonly NextToken?: string }>;
  deleteFileSystem(input: {
    readonly FileSystemId: string;
    readonly ClientRequestToken?: string;
  }): Promise<{ readonly FileSystemId?: string; readonly Lifecycle?: string }>;
  createDataRepositoryAssociation(
    input: CreateAssociationInput,
  ): Promise<{ readonly Association?: FsxAssociation }>;
  describeDataRepositoryAssociations(input: {
    readonly AssociationIds?: string[];
    readonly Filters?: FsxFilter<'file-system-id'>[];
    readonly MaxResults?: number;
    readonly NextToken?: string;
  }): Promise<{ readonly Associations?: readonly FsxAssociation[]; readonly NextToken?: string }>;
  updateDataRepositoryAssociation(
    input: UpdateAssociationInput,
  ): Promise<{ readonly Association?: FsxAssociation }>;
  createDataRepositoryTask(
    input: CreateTaskInput,
  ): Promise<{ readonly DataRepositoryTask?: FsxTask }>;
  describeDataRepositoryTasks(input: {
    readonly TaskIds?: string[];
    readonly Filters?: FsxFilter<'file-system-id' | 'task-lifecycle'>[];
    readonly MaxResults?: number;
    readonly NextToken?: string;
  }): Promise<{ readonly DataRepositoryTasks?: readonly FsxTask[]; readonly NextToken?: string }>;
  cancelDataRepositoryTask(input: {
    readonly TaskId: string;
  }): Promise<{ readonly TaskId?: string; readonly Lifecycle?: string }>;
  tagResource(input: { readonly ResourceARN: string; readonly Tags: FsxTag[] }): Promise<object>;
}

/** A request for a file system. */
export interface CreateFileSystemInput {
  readonly ClientRequestToken?: string;
  readonly FileSystemType: 'LUSTRE';
  /** FSx takes 2.10 where none is given. */
  readonly FileSystemTypeVersion?: string;
  /** GiB. */
  readonly StorageCapacity?: number;
  readonly StorageType?: 'SSD';
  readonly SubnetIds: string[];
  readonly SecurityGroupIds?: string[];
  readonly LustreConfiguration?: { readonly DeploymentType?: 'SCRATCH_2' };
  readonly Tags?: FsxTag[];
}

/** A request for a tie between a path and a place in S3. */
export interface CreateAssociationInput {
  readonly ClientRequestToken?: string;
  readonly FileSystemId: string;
  readonly FileSystemPath?: string;
  readonly DataRepositoryPath: string;
  readonly BatchImportMetaDataOnCreate?: boolean;
  /** MiB. */
  readonly ImportedFileChunkSize?: number;
  readonly S3?: S3Configuration;
  readonly Tags?: FsxTag[];
}

/** A change of such a tie: a policy that is not named stays as it is. */
export interface UpdateAssociationInput {
  readonly AssociationId: string;
  readonly ClientRequestToken?: string;
  readonly S3?: S3Configuration;
}

/** A request for a task. */
export interface CreateTaskInput {
  readonly ClientRequestToken?: string;
  readonly Type: 'EXPORT_TO_REPOSITORY';
  readonly FileSystemId: string;
  /** From the root of the file system on, without a slash before it. */
  readonly Paths?: string[];
  readonly Report: FsxReport;
  readonly Tags?: FsxTag[];
}

/** A file system as FSx shows it. */
export interface FsxFileSystem {
  readonly FileSystemId?: string;
  readonly ResourceARN?: string;
  readonly CreationTime?: Date;
  readonly Lifecycle?: string;
  readonly FailureDetails?: FsxFailure;
  readonly StorageCapacity?: number;
  readonly FileSystemTypeVersion?: string;
  readonly LustreConfiguration?: { readonly MountName?: string; readonly DeploymentType?: string };
  readonly Tags?: readonly SeenTag[];
}

/** An association as FSx shows it. */
export interface FsxAssociation {
  readonly AssociationId?: string;
  readonly FileSystemId?: string;
  readonly FileSystemPath?: string;
  readonly DataRepositoryPath?: string;
  readonly Lifecycle?: string;
  readonly FailureDetails?: FsxFailure;
  readonly S3?: {
    readonly AutoImportPolicy?: { readonly Events?: readonly string[] };
    readonly AutoExportPolicy?: { readonly Events?: readonly string[] };
  };
  readonly Tags?: readonly SeenTag[];
}

/** A task as FSx shows it. */
export interface FsxTask {
  readonly TaskId?: string;
  readonly FileSystemId?: string;
  readonly Type?: string;
  readonly Lifecycle?: string;
  readonly Paths?: readonly string[];
  readonly CreationTime?: Date;
  readonly StartTime?: Date;
  readonly EndTime?: Date;
  readonly FailureDetails?: FsxFailure;
  readonly Status?: {
    readonly TotalCount?: number;
    readonly SucceededCount?: number;
    readonly FailedCount?: number;
    readonly LastUpdatedTime?: Date;
  };
  readonly Tags?: readonly SeenTag[];
}

/** Which changes go by themselves; none where the list is empty. */
export interface S3Configuration {
  readonly AutoImportPolicy?: { readonly Events?: FsxEvent[] };
  readonly AutoExportPolicy?: { readonly Events?: FsxEvent[] };
}

export type FsxEvent = 'NEW' | 'CHANGED' | 'DELETED';

/** Where the list of failed files goes. */
export interface FsxReport {
  readonly Enabled: boolean;
  readonly Path?: string;
  readonly Format?: 'REPORT_CSV_20191124';
  readonly Scope?: 'FAILED_FILES_ONLY';
}

export interface FsxTag {
  readonly Key: string;
  readonly Value: string;
}

/** A tag in an answer, where the SDK promises less. */
export interface SeenTag {
  readonly Key: string | undefined;
  readonly Value: string | undefined;
}

/** At most 20 values. */
export interface FsxFilter<Name extends string> {
  readonly Name: Name;
  readonly Values: string[];
}

export interface FsxFailure {
  readonly Message?: string;
}
