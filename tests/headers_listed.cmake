# Compares the list in cmake/headers.cmake with the headers that stand under include/.
#   cmake -DSOURCE_DIR=<project> -P headers_listed.cmake
cmake_minimum_required(VERSION 3.25)

include(${SOURCE_DIR}/cmake/headers.cmake)
file(GLOB_RECURSE present RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/include/*.hpp)

set(not_listed ${present})
list(REMOVE_ITEM not_listed ${TENET_HEADERS})
set(not_present ${TENET_HEADERS})
list(REMOVE_ITEM not_present ${present})

if(not_listed OR not_present)
  list(JOIN not_listed "\n  " not_listed)
  list(JOIN not_present "\n  " not_present)
  message(FATAL_ERROR
    "cmake/headers.cmake: run scripts/update-header-list\n"
    "stand under include/ but are not listed:\n  ${not_listed}\n"
    "are listed but do not stand under include/:\n  ${not_present}")
endif()
