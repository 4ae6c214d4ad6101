import type {
  CreateAssociationInput,
  CreateFileSystemInput,
  CreateTaskInput,
  FsxTag,
} from '../handlers/aws/fsx-api';
import { isWithin } from './trees';

/**
 * What FSx refuses. From its service model (botocore 1.44, API 2018-03-01): lengths, patterns, numbers,
 * the error names. From the Lustre guide: legal capacities, eight associations, no overlaps, 32 paths of
 * a task, no associations on 2.10, no task beside auto-export. Assumed: the sentences; that a broken pattern is
 * a `ValidationException`, and every other bad request a `BadRequest`.
 */
export class FsxError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

const ASSOCIATIONS_MAX = 8;
const PATHS_MAX = 32;
const TAGS_MAX = 50;
const CHUNK_MIB_MAX = 512_000;
const STEP_GIB = 2400;
const VERSIONS = ['2.10', '2.12', '2.15'];

const TOKEN = /^[A-Za-z0-9_.-]{1,63}$/;
const FILE_SYSTEM_ID = /^fs-[0-9a-f]{8,18}$/;
const ASSOCIATION_ID = /^dra-[0-9a-f]{8,19}$/;
const TASK_ID = /^task-[0-9a-f]{17,123}$/;
const SUBNET = /^subnet-[0-9a-f]{8,17}$/;
const SECURITY_GROUP = /^sg-[0-9a-f]{8,17}$/;
const PATH = /^[^\0\u0085\u2028\u2029\r\n]{1,4096}$/;
const REPOSITORY = /^[^\0\u0085\u2028\u2029\r\n]{3,4357}$/;
const S3_PLACE = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/;
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;
const PAGE_TOKEN = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What CreateFileSystem refuses of a Lustre file system. */
export function checkFileSystem(request: CreateFileSystemInput): void {
  const { StorageCapacity: size = 0, FileSystemTypeVersion: version, SubnetIds } = request;
  checkToken(request);
  checkTags(request.Tags);
  for (const id of SubnetIds) matches('subnetIds', id, SUBNET);
  for (const id of request.SecurityGroupIds ?? []) matches('securityGroupIds', id, SECURITY_GROUP);
  if (!request.LustreConfiguration) {
    throw new FsxError('MissingFileSystemConfiguration', 'A Lustre configuration is required');
  }
  if (SubnetIds.length !== 1) {
    throw new FsxError('InvalidNetworkSettings', `Exactly one subnet, got ${SubnetIds.length}`);
  }
  if (size !== STEP_GIB / 2 && (size < STEP_GIB || size % STEP_GIB !== 0)) {
    throw badRequest(`Storage capacity must be 1200, 2400 or a multiple of 2400 GiB, got ${size}`);
  }
  if (version !== undefined && !VERSIONS.includes(version)) {
    throw badRequest(`File system version must be one of ${VERSIONS.join(', ')}, got ${version}`);
  }
}

/** What CreateDataRepositoryAssociation refuses, but for what is there already. */
export function checkAssociation(request: CreateAssociationInput): void {
  const { FileSystemPath: path = '', DataRepositoryPath: repository } = request;
  checkToken(request);
  checkTags(request.Tags);
  checkFileSystemId(request.FileSystemId);
  matches('fileSystemPath', path, PATH);
  matches('dataRepositoryPath', repository, REPOSITORY);
  within('importedFileChunkSize', request.ImportedFileChunkSize ?? 1024, CHUNK_MIB_MAX);
  if (!path.startsWith('/')) throw badRequest(`FileSystemPath must begin with /, got ${path}`);
  if (!S3_PLACE.test(repository)) {
    throw badRequest(`DataRepositoryPath must be s3://bucket/prefix/, got ${repository}`);
  }
}

/** The places of a file system that are tied already. */
interface Tied {
  readonly path: string;
  readonly repositoryPath: string;
}

/** What cannot be tied beside what is tied already. */
export function checkBeside(wanted: Tied, tied: readonly Tied[]): void {
  if (tied.length >= ASSOCIATIONS_MAX) {
    throw badRequest(`A file system has at most ${ASSOCIATIONS_MAX} data repository associations`);
  }
  const path = tied.find(
    (each) => isWithin(each.path, wanted.path) || isWithin(wanted.path, each.path),
  );
  if (path) throw badRequest(`FileSystemPath ${wanted.path} overlaps with ${path.path}`);
  const [mine, ...others] = [wanted, ...tied].map((each) => each.repositoryPath);
  const place = others.find((each) => each.startsWith(mine ?? '') || mine?.startsWith(each));
  if (place) throw badRequest(`DataRepositoryPath ${mine} overlaps with ${place}`);
}

/** What CreateDataRepositoryTask refuses, but for the state of the file system. */
export function checkTask(request: CreateTaskInput, tied: readonly Tied[]): void {
  const { Paths = [], Report } = request;
  checkToken(request);
  checkTags(request.Tags);
  checkFileSystemId(request.FileSystemId);
  if (Paths.length > PATHS_MAX) throw badRequest(`At most ${PATHS_MAX} paths, got ${Paths.length}`);
  for (const path of Paths) {
    if (path !== '') matches('paths', path, PATH);
    if (path.startsWith('/'))
      throw badRequest(`Paths are relative to the mount point, got ${path}`);
  }
  if (!Report.Enabled) return;
  const { Path: place = '', Format, Scope } = Report;
  if (!Format || !Scope) throw badRequest('A report needs Path, Format and Scope');
  matches('report.path', place, REPOSITORY);
  if (!tied.some(({ repositoryPath }) => `${place}/`.startsWith(repositoryPath))) {
    throw badRequest(`The report's path must lie within a linked data repository, got ${place}`);
  }
}

/** A token that FSx takes, on any request. */
export function checkToken({ ClientRequestToken: token }: { ClientRequestToken?: string }): void {
  if (token !== undefined) matches('clientRequestToken', token, TOKEN);
}

export function checkTags(tags: readonly FsxTag[] | undefined): void {
  if (tags === undefined) return;
  within('tags', tags.length, TAGS_MAX);
  for (const { Key, Value } of tags) {
    matches('tags.key', Key, TAG_KEY);
    matches('tags.value', Value, TAG_VALUE);
  }
}

export function checkFileSystemId(id: string): void {
  matches('fileSystemId', id, FILE_SYSTEM_ID);
}

export function checkAssociationId(id: string): void {
  matches('associationId', id, ASSOCIATION_ID);
}

export function checkTaskId(id: string): void {
  matches('taskId', id, TASK_ID);
}

export function checkPageToken(token: string | undefined): void {
  if (token !== undefined) matches('nextToken', token, PAGE_TOKEN);
}

/** The number of ids or values in a list. */
export function within(field: string, value: number, most: number): void {
  if (value >= 1 && value <= most) return;
  throw invalid(field, `${value}`, `must be from 1 to ${most}`);
}

export function badRequest(message: string): FsxError {
  return new FsxError('BadRequest', message);
}

function matches(field: string, value: string, pattern: RegExp): void {
  if (!pattern.test(value)) throw invalid(field, value, `must match ${pattern.source}`);
}

function invalid(field: string, value: string, rule: string): FsxError {
  const message = `1 validation error detected: Value '${value}' at '${field}' ${rule}`;
  return new FsxError('ValidationException', message);
}
