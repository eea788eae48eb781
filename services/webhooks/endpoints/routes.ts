import type { HttpError, HttpServer, HttpReply, HttpRequest } from "../../platform/app/http.ts";
import type { Connection } from "../../platform/contract/database.ts";
import { Transient } from "../../platform/contract/failure.ts";
import type { Networks } from "../call/networks.ts";
import type { Directory } from "./directory.ts";
import { addEndpoint, isConfigured, MAX_ENDPOINTS, removeEndpoint } from "./table.ts";
import { type Gate, isShut, mayPass } from "./auth.ts";
import { isProblemStatus, problem } from "./problem.ts";
import { isRefused, registrationOf, viewOf } from "./registration.ts";

const PATH = "/webhooks/endpoints";
/** Maximum length of a request's body, in bytes. */
const MAX_BODY = 16 * 1024;
const ID = /^epc?_[0-9a-f-]{1,50}$/;

/** Dependencies of the routes. */
export interface EndpointRoutesDeps {
  readonly database: Connection;
  readonly directory: Directory;
  readonly allowed: Networks;
  readonly gate: Gate;
}

/**
 * Adds `/webhooks/endpoints`: POST registers (201, the only reply with the secret), GET lists or shows, DELETE removes
 * (204). Errors are problem details (RFC 9457). Adds nothing where nobody has access.
 */
export const addRoutes = (server: HttpServer, deps: EndpointRoutesDeps): void => {
  if (isShut(deps.gate)) return;
  void server.register(
    async (scope) => {
      scope.setErrorHandler(onError);
      // A web page can post text/plain without a preflight request, but not JSON (Fetch, "CORS-safelisted").
      scope.removeContentTypeParser("text/plain");
      scope.addHook("onRequest", async (request, reply) => {
        if (mayPass(request, deps.gate)) return;
        reply.header("www-authenticate", "Bearer");
        await problem(reply, 401, "The request bears no valid token.");
      });
      scope.post("/", { bodyLimit: MAX_BODY }, (request, reply) => register(request, reply, deps));
      scope.get("/", async () => ({ endpoints: (await deps.directory.all()).map(viewOf) }));
      scope.get("/:id", (request, reply) => show(request, reply, deps));
      scope.delete("/:id", (request, reply) => remove(request, reply, deps));
    },
    { prefix: PATH },
  );
};

const register = async (request: HttpRequest, reply: HttpReply, deps: EndpointRoutesDeps): Promise<HttpReply> => {
  const registration = registrationOf(request.body ?? {}, deps.allowed);
  if (isRefused(registration)) return problem(reply, 422, "The endpoint can't be registered like this.", registration);
  const endpoint = await addEndpoint(deps.database, registration);
  if (endpoint === null) return problem(reply, 409, `There are ${MAX_ENDPOINTS} endpoints already; remove one first.`);
  const { secret } = endpoint;
  return reply
    .code(201)
    .header("location", `${PATH}/${endpoint.id}`)
    .send({ ...viewOf(endpoint), secret });
};

const show = async (request: HttpRequest, reply: HttpReply, { directory }: EndpointRoutesDeps): Promise<HttpReply> => {
  const id = idOf(request);
  const endpoint = id === null ? null : await directory.find(id);
  return endpoint === null ? missing(reply) : reply.send(viewOf(endpoint));
};

const remove = async (request: HttpRequest, reply: HttpReply, { database }: EndpointRoutesDeps): Promise<HttpReply> => {
  const id = idOf(request);
  if (id === null) return missing(reply);
  if (isConfigured(id)) return problem(reply, 409, "WEBHOOK_ENDPOINTS names this endpoint; remove it there.");
  return (await removeEndpoint(database, id)) ? reply.code(204).send() : missing(reply);
};

const missing = (reply: HttpReply): HttpReply => problem(reply, 404, "There is no such endpoint.");

const idOf = ({ params }: HttpRequest): string | null => {
  const { id = "" } = params as { readonly id?: string };
  return ID.test(id) ? id : null;
};

/** Replies to a client with its own faults; our faults are logged and not shown. */
const onError = (error: HttpError, request: HttpRequest, reply: HttpReply): HttpReply => {
  if (error instanceof Transient) return problem(reply, 503, "The database can't be reached now; try again.");
  const { statusCode } = error;
  if (isProblemStatus(statusCode) && statusCode < 500) return problem(reply, statusCode, error.message);
  request.log.error(error);
  return problem(reply, 500, "The server failed; its log has the error.");
};
