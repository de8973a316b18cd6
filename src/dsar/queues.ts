/** Who does what, by queue. Jobs carry ids only; what is to be done, and whether, the rows say. */
export const ACCESS_FULFILMENT = 'access-fulfilment';
export const PACKAGE_REBUILD = 'package-rebuild';
export const MAIL_DELIVERY = 'mail-delivery';
