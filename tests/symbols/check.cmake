# The object file of a step on a frozen base has no code of the base's gradients, and that of a full step has.
#   cmake -DNM=<nm> -DFULL=<object file> -DFROZEN=<object file> -P check.cmake
cmake_minimum_required(VERSION 3.25)

foreach(which FULL FROZEN)
  execute_process(COMMAND ${NM} -C --defined-only ${${which}} OUTPUT_VARIABLE ${which} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# Of the tables of embeddings, of the weights of normalisations, of biases.
set(gradients
  "tenet::kernel::scatter_add_rows<"
  "tenet::kernel::layer_norm_backward<"
  "tenet::kernel::detail::add_row_chunks<"
  "tenet::kernel::detail::reduce_columns<")
# What both need: the gradient goes through the base.
set(passages
  "tenet::kernel::detail::layer_norm_backward_rows<"
  "tenet::kernel::cross_entropy_backward<"
  "tenet::kernel::attention_backward<")

set(wrong "")
foreach(symbol IN LISTS gradients passages)
  string(FIND "${FULL}" "${symbol}" at)
  if(at EQUAL -1)
    string(APPEND wrong "  full step: expected ${symbol}..., found none\n")
  endif()
endforeach()
foreach(symbol IN LISTS gradients)
  string(FIND "${FROZEN}" "${symbol}" at)
  if(NOT at EQUAL -1)
    string(APPEND wrong "  frozen base: expected no ${symbol}..., found one\n")
  endif()
endforeach()
foreach(symbol IN LISTS passages)
  string(FIND "${FROZEN}" "${symbol}" at)
  if(at EQUAL -1)
    string(APPEND wrong "  frozen base: expected ${symbol}..., found none\n")
  endif()
endforeach()
if(wrong)
  message(FATAL_ERROR "symbols:\n${wrong}")
endif()
