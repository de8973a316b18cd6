import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import { PERMISSION, PUBLIC } from '../../src/http/allow.js';

export interface Route {
  method: string;
  /** As the controllers write it, e.g. `/v1/workspaces/:workspaceId/requests`. */
  path: string;
  /** The cell of the role matrix it asks for. */
  right?: { resource: string; verb: string };
  public: boolean;
}

/** Every route of the running service with what it says about who may call, as the guard reads it. */
export function routesOf(app: NestFastifyApplication): Route[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) =>
    [...module.controllers.values()].map(({ metatype }) => metatype as new () => object),
  );
  return controllers.flatMap((controller) => {
    const prototype = controller.prototype as Record<string, unknown>;
    return Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const handler = name === 'constructor' ? undefined : prototype[name];
      if (typeof handler !== 'function') return [];
      const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
      if (method === undefined) return [];
      const said = (key: string): unknown =>
        Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller);
      const parts = [PATH_METADATA].flatMap((key) => [
        ...[Reflect.getMetadata(key, controller) as string | string[]].flat().slice(0, 1),
        Reflect.getMetadata(key, handler) as string,
      ]);
      const path = `/${parts.join('/')}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
      return [
        {
          method: RequestMethod[method],
          path,
          right: said(PERMISSION) as Route['right'],
          public: said(PUBLIC) === true,
        },
      ];
    });
  });
}
