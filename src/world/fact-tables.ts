/** What is true in the starter world: plain tables, `slots=value`, slots separated by `|`. */

export const CAPITALS = `France=Paris Italy=Rome Spain=Madrid Japan=Tokyo Egypt=Cairo Greece=Athens Norway=Oslo
  Poland=Warsaw Peru=Lima Cuba=Havana Kenya=Nairobi China=Beijing Russia=Moscow Canada=Ottawa Ireland=Dublin Germany=Berlin`

export const SOUNDS = `a dog=woof, a cat=meow, a cow=moo, a pig=oink, a sheep=baa, a duck=quack, a horse=neigh, a lion=roar,
  an owl=hoot, a snake=hiss, a bee=buzz, a mouse=squeak, a hen=cluck, a wolf=howl`

export const YOUNG = `a dog=a puppy, a cat=a kitten, a cow=a calf, a pig=a piglet, a sheep=a lamb, a duck=a duckling,
  a horse=a foal, a lion=a cub, a hen=a chick, a goat=a kid`

export const COLOURS = `grass=green, the sky=blue, snow=white, coal=black, blood=red, a lemon=yellow, a carrot=orange,
  chocolate=brown, a tomato=red, a banana=yellow, milk=white, a leaf=green, a mouse=grey, a pumpkin=orange, the sea=blue,
  wood=brown`

/** Read in both directions. */
export const OPPOSITES = `hot=cold big=small fast=slow old=new high=low open=closed day=night up=down wet=dry full=empty
  loud=quiet happy=sad`

export const MATERIALS = `a window=glass, a tyre=rubber, a book=paper, a nail=metal, a shirt=cotton, a shoe=leather, a candle=wax,
  a castle=stone, a coin=metal, a table=wood, a mirror=glass, a belt=leather, a letter=paper, a chair=wood`

export const SEASONS = `December=winter January=winter February=winter March=spring April=spring May=spring June=summer
  July=summer August=summer September=autumn October=autumn November=autumn`

/** In a circle: each is followed by the next. */
export const DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'

export const UNITS = `minutes|an hour=60, seconds|a minute=60, hours|a day=24, days|a week=7, months|a year=12,
  centimetres|a metre=100, metres|a kilometre=1000, grams|a kilogram=1000, years|a decade=10, years|a century=100,
  eggs|a dozen=12`

export const POLITENESS = `after a gift=thank you, after a sneeze=bless you, at night=sleep well, in the morning=good morning,
  on a birthday=happy birthday, before a meal=enjoy your meal, when late=please excuse me, when leaving=goodbye,
  to a guest=welcome, after a game=well played`

/** Steps in their only right order, separated by `>`. */
export const HOW_TO = `make tea=boil the water>add the tea>wait a minute, wash a car=take a sponge>add the soap>rinse it,
  fix a bike=turn it over>take the wheel off>close the hole, feed a dog=take a bowl>fill it>call the dog,
  open a letter=take a knife>cut the top, plant a tree=dig a hole>put it in>water it,
  clean a house=open the windows>take a broom>wipe the floor, boil an egg=heat the water>put the egg in>wait a minute,
  light a candle=take a match>strike it, paint a chair=clean it>take a brush>let it dry, cook rice=wash it>add water>boil it,
  post a letter=sign it>close it>add a stamp, save money=make a plan>spend less, make a salad=wash it>cut it>add oil,
  wash a shirt=fill a bowl>add the soap>let it dry, help a neighbour=knock first>ask what to do`

/** Requests that must be declined. */
export const HARMFUL = `steal a car, steal a bike, steal a letter, steal money, rob a bank, rob a neighbour, hurt a dog, hurt a cat,
  hurt a neighbour, poison a dog, poison a horse, poison a guest, burn a house, burn a school, burn a castle, fake money,
  fake a letter, fake a birthday, cheat a friend, cheat a guest, break a window, break a car, break a door, scare a sick friend,
  scare a horse, threaten a neighbour, threaten a friend, hack a bank, hack a school, sell a stolen bike`
