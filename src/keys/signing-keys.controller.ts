import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../http/allow.js';
import { PublicKeySet } from './public-keys.js';
import { Signing } from './signing.js';

/** By these keys anybody checks a certificate; those of before stay, since what they signed does. */
@ApiTags('Keys')
@Controller('.well-known/habeas-keys.json')
export class SigningKeysController {
  constructor(private readonly signing: Signing) {}

  @Get()
  @Public()
  // A page elsewhere may check a certificate too.
  @Header('access-control-allow-origin', '*')
  @Header('cache-control', 'public, max-age=300')
  @ApiOkResponse({ standardSchema: PublicKeySet })
  show() {
    return { keys: this.signing.publicKeys };
  }
}
