import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { publicExtension } from './allow.js';

const ref = (name: string) => ({ $ref: `#/components/${name}` });

/** The OpenAPI 3.1 description of every controller, from the zod schemas that hold at run time. */
export function describeApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Habeas')
    .setDescription('The data-rights desk for any product on Postgres: access, deletion, and a log to check.')
    .setVersion('1')
    // Relative to this document, so that trying out works under every name the service has.
    .addServer('/')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'A JWT of the host app, or an hbs_ API token',
    })
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    standardSchemaConverter: convert,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: problemSchema },
    responses: {
      Problem: {
        description: 'Anything that is not what was asked for (RFC 9457). `code` is stable.',
        content: { 'application/problem+json': { schema: ref('schemas/Problem') } },
      },
    },
    parameters: { IdempotencyKey: idempotencyKey },
  };
  completeAll(document);
  return document;
}

interface Parameter {
  name?: string;
  in?: string;
  required?: boolean;
  schema?: object;
  $ref?: string;
}

interface Operation {
  responses?: Record<string, unknown>;
  parameters?: Parameter[];
  security?: unknown[];
  [extension: `x-${string}`]: unknown;
}

/** What holds for every operation, so that no controller has to say it. */
function complete(path: string, method: string, operation: Operation): void {
  const open = operation[publicExtension] === true;
  Reflect.deleteProperty(operation, publicExtension);
  if (open) operation.security = [];
  operation.responses = { ...operation.responses, default: ref('responses/Problem') };
  const others = operation.parameters?.filter((parameter) => parameter.in !== 'path') ?? [];
  operation.parameters = [...pathParameters(path), ...others];
  if (!open && writes.has(method)) operation.parameters.push(ref('parameters/IdempotencyKey'));
}

/** From the address itself: a guard may read a parameter that the handler does not name. */
const pathParameters = (path: string): Parameter[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', ...(name.endsWith('Id') && { format: 'uuid' }) },
  }));

const writes = new Set(['post', 'put', 'patch', 'delete']);
const methods = new Set(['get', ...writes]);

function completeAll(document: OpenAPIObject): void {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item as Record<string, Operation>)) {
      if (methods.has(method)) complete(path, method, operation);
    }
  }
}

/** zod to JSON Schema 2020-12, which OpenAPI 3.1 is; named schemas become components. */
function convert(schema: unknown, { schemaType: io }: { schemaType: 'input' | 'output' }) {
  if (!(schema instanceof z.ZodType)) return undefined;
  const {
    $defs = {},
    $schema: _,
    ...converted
  } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'date')
        Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
    },
  });
  // What is accepted and what is answered may differ under one name (defaults, unknown fields).
  const named = (text: string) =>
    io === 'input' ? text.replaceAll(/"#\/\$defs\/([^"]+)"/g, '"#/$defs/$1Input"') : text;
  const rename = (value: unknown): unknown => JSON.parse(named(JSON.stringify(value)));
  const suffix = io === 'input' ? 'Input' : '';
  return {
    schema: rename(converted),
    components: Object.fromEntries(Object.entries($defs).map(([id, value]) => [id + suffix, rename(value)])),
  };
}

const problemSchema = {
  type: 'object' as const,
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A sentence that a person can act on' },
    code: { type: 'string', description: 'Stable, e.g. request.not_found' },
    instance: { type: 'string', description: 'The request id, also in X-Request-Id' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'code', 'message'],
        properties: { path: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  description:
    'Sent again within 24 hours with the same request: the same answer, and nothing happens twice.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};
