// Errors as RFC 9457 problems. What is unexpected shows nothing of the inside; the log has it.

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SealwatchError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

const known = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'invalid-cursor': { status: 400, title: 'The cursor does not belong to this query' },
  unauthorized: { status: 401, title: 'A valid key is needed' },
  forbidden: { status: 403, title: 'The key may not do this' },
  'not-found': { status: 404, title: 'There is nothing here' },
  unavailable: { status: 503, title: 'sealwatch cannot do this now' },
  internal: { status: 500, title: 'sealwatch could not answer' },
} as const;
type ProblemCode = keyof typeof known;

export const problemSchema = z
  .object({
    type: z.string().describe('urn:sealwatch:problem: and a short code, or about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().describe('path of the call, without its query'),
    errors: z.array(z.object({ parameter: z.string(), detail: z.string() })).optional(),
  })
  .meta({ description: 'Problem details (RFC 9457)' });
type Problem = z.infer<typeof problemSchema>;

/** An answer that is a problem; `message` is its detail. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly errors: Problem['errors'];

  constructor(code: ProblemCode, detail: string, errors?: Problem['errors']) {
    super(detail);
    this.code = code;
    this.errors = errors;
  }
}

/** Every error of `app`, also of unknown routes, leaves as application/problem+json. */
export function addProblems(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError | ProblemError | SealwatchError>((error, request, reply) => {
    const problem = problemOf(error, request);
    // Nobody waits for the answer any more: what was asked of the store ended with the connection.
    if (problem.status >= 500 && !reply.raw.destroyed)
      request.log.error({ err: error, route: request.routeOptions.url }, 'call failed');
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, describe('not-found', 'No such route or method; /openapi.json lists them.', request)),
  );
}

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply =>
  (problem.status === 503 ? reply.header('retry-after', limits.apiRetryAfterSeconds) : reply)
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problem));

const unreadStatus: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** What could not be read as a request is answered on its connection, which ends with it. */
export function refuseUnread(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status = unreadStatus[error.code ?? ''] ?? 400;
  const title = STATUS_CODES[status] ?? 'Error';
  const detail = 'It could not be read as an HTTP request, or its headers are too long or came too late.';
  const problem: Problem = { type: 'about:blank', title, status, detail, instance: '' };
  const body = JSON.stringify(problem);
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${status} ${title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${body.length}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n${body}`,
    );
  socket.destroy(error);
}

export function problemOf(
  error: FastifyError | ProblemError | SealwatchError,
  request: FastifyRequest,
): Problem {
  if (error instanceof ProblemError) return describe(error.code, error.message, request, error.errors);
  // What a user can mend, by the log: a store that does not answer, a full disk.
  if (error instanceof SealwatchError)
    return describe(
      'unavailable',
      `The evidence store does not answer; the log has the cause under ${request.id}.`,
      request,
    );
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.map(({ instancePath, message = 'not valid' }) => ({
      parameter: instancePath.replace(/^\//, '') || (error.validationContext ?? 'request'),
      detail: message,
    }));
    const detail = errors.map((fault) => `${fault.parameter}: ${fault.detail}`).join('; ');
    return describe('invalid-request', detail, request, errors);
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500)
    return {
      type: 'about:blank',
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail: error.message,
      instance: pathOf(request),
    };
  return describe('internal', `Nothing more is shown here; the log has it under ${request.id}.`, request);
}

function describe(
  code: ProblemCode,
  detail: string,
  request: FastifyRequest,
  errors?: Problem['errors'],
): Problem {
  const type = `urn:sealwatch:problem:${code}`;
  return { type, ...known[code], detail, instance: pathOf(request), ...(errors !== undefined && { errors }) };
}

/** Without the query: a key that somebody put there by mistake must not come back. */
const pathOf = (request: FastifyRequest) => request.url.split('?', 1)[0] ?? '';
