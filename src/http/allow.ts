import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';

/** One cell of the role matrix: who may do this verb to this resource is identity's data. */
export interface Permission {
  resource: string;
  verb: string;
}

export const PERMISSION = 'habeas:permission';
export const PUBLIC = 'habeas:public';
export const publicExtension = 'x-public';

/** Who may call: whoever the role matrix lets do `verb` to `resource`. Without @Allow or @Public nobody may. */
export const Allow = (resource: string, verb: string) =>
  SetMetadata(PERMISSION, { resource, verb } satisfies Permission);

/** Anybody may call. */
export const Public = () => applyDecorators(SetMetadata(PUBLIC, true), ApiExtension(publicExtension, true));

/** Takes an HTML form (application/x-www-form-urlencoded) beside JSON: for our own pages only. */
export const AcceptForms = () => RouteConfig({ acceptsForms: true });
